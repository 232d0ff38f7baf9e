// Contractions: small odd sizes, and sizes over a tile's edge.
import * as T from '../../../src/dsl/ops/index.ts';
import { type Cases, f16, f32, i32, u32 } from '../../support/family.ts';

export const contract: Cases = {
  matmul: ({ m, n, k, b }) => [
    T.matmul(f32([m, k]), f32([k, n], 1)),
    T.matmul(f32([b, m, k]), f32([k, n], 1)),
    T.matmul(f32([k]), f32([k, n], 1)),
    T.matmul(f16([k, n], 1))(f16([m, k])),
    T.matmul(i32([m, k], -9, 9), i32([k, n], -9, 9, 1)),
    T.matmul(u32([m, k], 9), u32([k, n], 9, 1)),
  ],
  linear: ({ m, n, k, b }) => [
    T.linear(f32([b, m, k]), f32([n, k], 1)),
    T.linear(f32([n, k], 1))(f32([m, k])),
    T.relu(T.bias(T.linear(f32([m, k]), f32([n, k], 1)), f32([n], 2))),
  ],
  batchedMatmul: ({ m, n, k, b }) => [
    T.batchedMatmul(f32([b, m, k]), f32([b, k, n], 1)),
    T.batchedMatmul(f32([2, b, m, k]), f32([2, b, k, n], 1)),
  ],
  outer: ({ m, n }) => [T.outer(f32([m]), f32([n], 1)), T.outer(f16([m]), f16([n], 1))],
  dot: ({ n }) => [T.dot(f32([n]), f32([n], 1)), T.dot(i32([n], -9, 9), i32([n], -9, 9, 1))],
  einsum: ({ m, n, k, b }) => [
    T.einsum('bqhd,bkhd->bhqk', f32([b, m, 2, k]), f32([b, n, 2, k], 1)),
    T.einsum('bhqk,bkhd->bqhd', f32([b, 2, m, n]), f32([b, n, 2, k], 1)),
    T.einsum('ij->ji', f32([m, n])),
    T.einsum('ij->', f32([m, n])),
    T.einsum('ii->i', f32([n, n])),
    T.einsum('ij,k->j', f32([m, n]), f32([k], 1)),
    T.einsum('ij,ij->i', f32([m, n]), f32([m, n], 1)),
    T.einsum('ij,jk,kl->il', f32([m, n]), f32([n, k], 1), f32([k, b], 2)),
    T.einsum('a,b,c,d->dcba', f32([m]), f32([2], 1), f32([n], 2), f32([b], 3)),
    T.einsum('nchw,oc->nohw', f32([b, k, 3, m]), f32([n, k], 1)),
  ],
  'past the edges of tiles': ({ b }) => [
    T.matmul(f32([33 * b, 70]), f32([70, 65], 1)),
    T.linear(f32([b, 17, 130]), f32([129, 130], 1)),
    T.batchedMatmul(f32([b, 40, 33]), f32([b, 33, 41], 1)),
    T.matmul(f32([1, 300]), f32([300, 5], 1)),
    T.matmul(f16([64, 64]), f16([64, 64], 1)),
  ],
};
