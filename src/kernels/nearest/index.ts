// The nearest code without a distance matrix, in the order in which the templates are asked. call is what all of them share. On a processor:
// simd. With subgroups: subgroup, where they have no fixed size: workgroup.
import type { KernelTemplate } from '../template.ts';
import { nearestSimd } from './simd.ts';
import { nearestSubgroup } from './subgroup.ts';
import { nearestWorkgroup } from './workgroup.ts';

export const nearestCodes: readonly KernelTemplate[] = [nearestSimd, nearestSubgroup, nearestWorkgroup];
