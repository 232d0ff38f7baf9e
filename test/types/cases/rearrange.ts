// rearrange: axes split, merged and moved by name, typed from the text of the pattern.
import { pipe } from 'fp-ts/lib/function.js';
import { dim } from '../../../src/dsl/tensor.ts';
import { rearrange } from '../../../src/dsl/ops/rearrange.ts';
import type { Dim, Rank3 } from '../../../src/dsl/shape.ts';
import type { Tensor } from '../../../src/dsl/tensor.ts';

declare const tokens: Tensor<readonly ['batch', 729, 1152]>;
declare const any3: Tensor<Rank3>;
declare const image: Tensor<readonly [3, 224, 224]>;
declare const one: Tensor<readonly [1, 5]>;

// What must compile.
export const heads: Tensor<readonly ['batch', 16, 729, 72]> = rearrange(tokens, 'b t (h d) -> b h t d', {
  h: 16,
  d: 72,
});
export const headsHalf: Tensor<readonly ['batch', 16, 729, number]> = pipe(
  tokens,
  rearrange('b t (h d) -> b h t d', { h: 16 }),
);
export const grid: Tensor<readonly ['batch', 1152, 27, number]> = rearrange(tokens, 'b (h w) c -> b c h w', { h: 27 });
export const merged: Tensor<readonly ['batch', number]> = rearrange(tokens, 'b t c -> b (t c)');
export const swapped: Tensor<readonly [1152, 'batch', 729]> = rearrange(tokens, '... c -> c ...');
export const withOne: Tensor<readonly ['batch', 1, 729, 1152]> = rearrange(tokens, 'b t c -> b 1 t c');
export const withoutOne: Tensor<readonly [5]> = rearrange(one, '1 n -> n');
export const patches: Tensor<readonly [number, number]> = rearrange(image, 'c (h p) (w q) -> (h w) (p q c)', {
  p: 16,
  q: 16,
});
export const unknownSizes: Tensor<readonly [number, number, 8]> = rearrange(any3, 'b t (h d) -> b (t h) d', { d: 8 });
export const namedSize: Tensor<readonly ['batch', 'head', 729, number]> = rearrange(tokens, 'b t (h d) -> b h t d', {
  h: dim('head', 16),
});
export const toGrid = <B extends Dim, C extends Dim, H extends number, W extends number>(
  x: Tensor<readonly [B, number, C]>,
  h: H,
  w: W,
) => rearrange(x, 'b (h w) c -> b c h w', { h, w });
export const last = <B extends Dim, T extends Dim, C extends Dim>(
  x: Tensor<readonly [B, T, C]>,
): Tensor<readonly [B, C, T]> => rearrange(x, 'b t c -> b c t');

// What must not.
// error: rearrange 'b t -> t b' of [batch,729,1152]: it names fewer axes than there are
export const few = rearrange(tokens, 'b t -> t b');
// error: rearrange 'b h t c -> b t h c' of [batch,729,1152]: it names more axes than there are
export const many = rearrange(tokens, 'b h t c -> b t h c');
// error: rearrange 'b t c -> b c': 't' is on one side only
export const dropped = rearrange(tokens, 'b t c -> b c');
// error: rearrange 'b t c -> b t c d': 'd' is on one side only
export const invented = pipe(tokens, rearrange('b t c -> b t c d'));
// error: rearrange 'b t c': no '->' in it
export const noArrow = rearrange(tokens, 'b t c');
// error: rearrange 'b t c -> c t b' of [batch,729,1152]: 't' is 729 and 5
export const wrongSize = rearrange(tokens, 'b t c -> c t b', { t: 5 });
// error: rearrange '1 t c -> t c' of [batch,729,1152]: axis '1' has size batch
export const notOne = rearrange(tokens, '1 t c -> t c');
// error: rearrange 'b t c -> c t b': 'x' has a size, but is not in it
export const unusedSize = rearrange(tokens, 'b t c -> c t b', { x: 5 });
// error: rearrange 'b t (h d) -> b h t d' of [batch,729,1152]: give the size of all but one of 'h d'
export const splitUnknown = rearrange(tokens, 'b t (h d) -> b h t d');
// error: 27
export const result: Tensor<readonly ['batch', 1152, 28, number]> = rearrange(tokens, 'b (h w) c -> b c h w', {
  h: 27,
});
