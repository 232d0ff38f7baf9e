// Contractions of two operands, in the order in which the templates are asked. product is how all of them see a contraction. On a
// processor: simd. Few rows: gemv, on gemv-lanes and gemv-reads. Large products of a card: matrix and tiled, on staging. Without workgroup
// memory: subgroup, and direct on register-tile. columns and neighbours are how operands are read, store is how results leave.
import type { KernelTemplate } from '../template.ts';
import { contractDirect } from './direct.ts';
import { contractGemv } from './gemv.ts';
import { contractMatrix } from './matrix.ts';
import { contractSimd } from './simd.ts';
import { contractSubgroup } from './subgroup.ts';
import { contractTiled } from './tiled.ts';

export const contractions: readonly KernelTemplate[] = [
  contractSimd,
  contractGemv,
  contractMatrix,
  contractTiled,
  contractSubgroup,
  contractDirect,
];
