// Attention: causal, masked, with grouped keys and a number of valid keys that the program learns when it runs.
import * as T from '../../../src/dsl/ops/index.ts';
import { type Cases, f16, f32 } from '../../support/family.ts';

/** Bound to 2 by the tests. */
const valid = T.scalarInput('position', 'i32');

export const attention: Cases = {
  attention: ({ m, n, k, b }) => [
    T.attention(f32([b, 2, m, k + 1]), f32([b, 2, n + 1, k + 1], 1), f32([b, 2, n + 1, 3], 2)),
    T.attention(f32([b, 2, 5, 4]), f32([b, 2, 5, 4], 1), f32([b, 2, 5, 4], 2), { causal: true }),
    T.attention(f32([b, 4, 3, 4]), f32([b, 2, 7, 4], 1), f32([b, 2, 7, 5], 2), { causal: true, scale: 0.5 }),
    T.attention(f32([b, 2, 3, 8]), f32([b, 1, 5, 8], 1), f32([b, 1, 5, 8], 2), { mask: f32([2, 1, 5], 3) }),
    T.attention(f32([b, 2, 3, 4]), f32([b, 2, 6, 4], 1), f32([b, 2, 6, 4], 2), { validKeys: valid }),
    T.attention(f32([b, 2, 1, 4]), f32([b, 1, 6, 4], 1), f32([b, 1, 6, 4], 2), { validKeys: valid, causal: true }),
    T.attention(f32([1, 1, 5, 4]), f32([1, 1, 3, 4], 1), f32([1, 1, 3, 4], 2), { causal: true }),
    T.attention(f16([b, 2, 5, 8]), f16([b, 2, 6, 8], 1), f16([b, 2, 6, 8], 2)),
    T.attention(f32([1, 1, 2, 3]), f32([1, 1, 0, 3], 1), f32([1, 1, 0, 3], 2)),
  ],
};

export const tiles: Cases = {
  'attention past the edges of tiles': ({ b }) => [
    T.attention(f32([b, 3, 37, 24]), f32([b, 3, 41, 24], 1), f32([b, 3, 41, 24], 2)),
    T.attention(f32([1, 2, 33, 64]), f32([1, 1, 33, 64], 1), f32([1, 1, 33, 64], 2), { causal: true }),
    T.attention(f32([1, 2, 1, 32]), f32([1, 2, 130, 32], 1), f32([1, 2, 130, 32], 2), { validKeys: valid }),
    T.attention(f32([1, 2, 20, 72]), f32([1, 2, 20, 72], 1), f32([1, 2, 20, 72], 2), { mask: f32([20, 20], 3) }),
  ],
};
