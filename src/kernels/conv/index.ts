// Convolutions, in the order in which the templates are asked. sizes is how all of them number a convolution. On a processor: rows, the
// form of the operands, then simd. Elsewhere: tile, and conv, which chooses among tiles.
import type { KernelTemplate } from '../template.ts';
import { conv } from './conv.ts';
import { convSimd } from './simd.ts';

export const convolutions: readonly KernelTemplate[] = [convSimd, conv];
