// Operations on typed tensors, by family. Each checks its operands when the expression is built and throws DslError. Read operand
// and elementwise first; then activations, reduce, contract (with einsum-types), conv, pool (on windows), resize; create, inputs
// and random; movement (with reshape-types), slicing, joining, rearrange and indexing; last fused.
export * from './activations.ts';
export * from './contract.ts';
export * from './conv.ts';
export * from './create.ts';
export type { EinsumFits, EinsumShape } from './einsum-types.ts';
export * from './elementwise.ts';
export * from './fused.ts';
export * from './indexing.ts';
export * from './inputs.ts';
export * from './joining.ts';
export * from './movement.ts';
export type { BitType, Both, Fits, IntegerType, NumericType } from './operand.ts';
export * from './pool.ts';
export * from './random.ts';
export * from './rearrange.ts';
export * from './reduce.ts';
export * from './resize.ts';
export * from './slicing.ts';
