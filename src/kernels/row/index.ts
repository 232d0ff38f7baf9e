// Row operations in one kernel, in the order in which the templates are asked. graph cuts a reference graph into phases, values are what is
// computed of it at a lane's columns; then simd, on a processor, and row, elsewhere.
import type { KernelTemplate } from '../template.ts';
import { row } from './row.ts';
import { rowSimd } from './simd.ts';

export const rowOperations: readonly KernelTemplate[] = [rowSimd, row];
