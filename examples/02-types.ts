// What the editor refuses, and how it says so: shapes and dtypes are part of the types.
import { add, cast, DslError, data, dim, einsum, matmul, rearrange, shaped, type Tensor, tensor } from 'dualtoken';

const images = data('images', [dim('batch', 8), 729, 1152]);
const weight = tensor(new Float32Array(1152 * 256), [1152, 256]);
const wrong = tensor(new Float32Array(1024 * 256), [1024, 256]);
const codes = tensor(new Int32Array(8), [8]);

// Sizes, names and dtypes are followed: this is a Tensor<readonly ['batch', 729, 256]>.
const projected: Tensor<readonly ['batch', 729, 256]> = matmul(images, weight);

// @ts-expect-error: matmul: x ends in 1152, w starts with 1024
const attempt = () => matmul(images, wrong);
// @ts-expect-error: i32 and f32 do not mix without a cast
const mixed = () => add(codes, tensor(new Float32Array(8), [8]));
const fixed = add(cast('f32')(codes), 1);

// The letters of einsum and rearrange are types as well.
const scores = einsum('bqd,bkd->bqk', projected, projected);
const grid = rearrange(projected, 'b (h w) c -> b c h w', { h: 27 });

// What types cannot see is checked when the expression is built, with the line that built it.
try {
  attempt();
} catch (e) {
  if (e instanceof DslError) console.log(`At run time the same mistake reads:\n\n${e.message}\n`);
}
try {
  mixed();
} catch (e) {
  if (e instanceof DslError) console.log(`${e.message}\n`);
}
// A size known only at run time is stated once, and then followed again.
const restored = shaped([dim('batch', 8), 1152, 27, 27])(rearrange(images, 'b (h w) c -> b c h w', { h: 27 }));

console.log('These are fine:', `${projected}`, `${fixed}`, `${scores}`, `${grid}`, `${restored}`);
