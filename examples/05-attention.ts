// Attention from einsum, held against the fused call that one kernel computes without the score matrix.

import {
  abs,
  attention,
  einsum,
  evaluate,
  foldIn,
  key,
  max,
  mul,
  normal,
  openRuntime,
  rearrange,
  softmax,
  sub,
  summaryOf,
  type Tensor,
} from 'dualtoken';

const [batch, tokens, heads, width] = [2, 64, 4, 32] as const;
type Tokens = Tensor<readonly [2, 64, 128]>;

const random = (name: string): Tokens => normal(foldIn(key(0), name), [batch, tokens, heads * width]) as Tokens;
const [q, k, v] = [random('q'), random('k'), random('v')];

const split = (x: Tokens) => rearrange(x, 'b t (h d) -> b h t d', { h: heads });

const plain = (a: Tokens, b: Tokens, c: Tokens) => {
  const scores = mul(einsum('bhqd,bhkd->bhqk', split(a), split(b)), 1 / Math.sqrt(width));
  return rearrange(einsum('bhqk,bhkd->bhqd', softmax(scores), split(c)), 'b h t d -> b t (h d)');
};
const fused = (a: Tokens, b: Tokens, c: Tokens) =>
  rearrange(attention(split(a), split(b), split(c)), 'b h t d -> b t (h d)');

const difference = await evaluate(max(abs(sub(plain(q, k, v), fused(q, k, v)))));
console.log('largest difference:', difference);

const runtime = await openRuntime({ log: (line) => console.log(line) });
const inputs = await Promise.all(
  [q, k, v].map(async (x) => (await runtime.evaluate(x)).data).map(async (d) => runtime.upload(await d, [2, 64, 128])),
);
for (const [name, f] of [
  ['einsum, softmax, einsum', plain],
  ['attention', fused],
] as const) {
  const program = await runtime.compile(f).program(inputs[0]!, inputs[1]!, inputs[2]!);
  const { dispatches, tempBytes } = summaryOf(program);
  console.log(`${name}: ${dispatches} dispatches, ${tempBytes / 1024} KiB of intermediate values`);
}
runtime.close();
