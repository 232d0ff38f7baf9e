// Inputs of a program, by role and slot name, and tensors of host data.
import * as B from '../core/build.ts';
import type { DType, HostArray, HostArrays } from '../core/dtype.ts';
import { hashText } from '../core/hash.ts';
import { sizeOf } from '../core/node.ts';
import type { InputRole } from '../core/op.ts';
import type { Node } from '../core/types.ts';
import type { Shape, ShapeOf } from '../shape.ts';
import { type AnyTensor, type Tensor, wrap } from '../tensor.ts';
import { fail } from './operand.ts';

export interface Declare {
  <const T extends readonly number[]>(slot: string, shape: T): Tensor<ShapeOf<T>>;
  <const T extends readonly number[], const D extends DType>(slot: string, shape: T, dtype: D): Tensor<ShapeOf<T>, D>;
}
const declare = (role: InputRole): Declare => {
  function make<S extends Shape, D extends DType>(
    slot: string,
    shape: readonly number[],
    dtype: DType = 'f32',
  ): Tensor<S, D> {
    return wrap(B.input(slot, shape, dtype, role));
  }
  return make;
};

/** A trained value, bound by `slot` when the program runs. */
export const param = declare('param');
/** A value that a program returns anew, as optimiser moments or a key-value cache: its buffer may be donated. */
export const state = declare('state');
/** A value that changes with every call, as a batch of images. */
export const data = declare('data');

/** A number bound at run time without a new compilation: a step, a position, a seed, a learning rate. */
export function scalarInput(slot: string): Tensor<readonly []>;
export function scalarInput<const D extends 'f32' | 'i32' | 'u32'>(slot: string, dtype: D): Tensor<readonly [], D>;
export function scalarInput(slot: string, dtype: DType = 'f32'): AnyTensor {
  return wrap(B.input(slot, [], dtype, 'scalar'));
}

const bound = new WeakMap<Node, HostArray>();

/** The host data that `tensor` put behind an input; undefined for every other node. */
export const boundData = (node: Node): HostArray | undefined => bound.get(node);

/** Numbers or booleans nested to the rank of a tensor. */
export type Nested = number | boolean | readonly Nested[];
/** The shape of nested arrays, to rank 6: exact for literals. */
export type NestedShape<A, Depth extends readonly unknown[] = []> = Depth['length'] extends 6
  ? readonly []
  : A extends readonly unknown[]
    ? A extends readonly [infer H, ...unknown[]]
      ? readonly [A['length'], ...NestedShape<H, [...Depth, 0]>]
      : readonly [number, ...NestedShape<A[number], [...Depth, 0]>]
    : readonly [];
type ElementType<A, Depth extends readonly unknown[] = []> = Depth['length'] extends 6
  ? 'f32'
  : A extends readonly (infer E)[]
    ? ElementType<E, [...Depth, 0]>
    : A extends boolean
      ? 'bool'
      : 'f32';
type HostType<A extends HostArray> = A extends Float32Array
  ? 'f32'
  : A extends Int32Array
    ? 'i32'
    : A extends Uint32Array
      ? 'u32'
      : never;

const shapeOfNested = (x: Nested): readonly number[] => {
  const shape: number[] = [];
  for (let at = x; Array.isArray(at); at = at[0]) {
    shape.push(at.length);
    if (at.length === 0) break;
  }
  return shape;
};

const flatten = (x: Nested, shape: readonly number[], into: number[], depth = 0): void => {
  if (typeof x === 'number' || typeof x === 'boolean') {
    if (depth !== shape.length)
      fail('tensor', `a number at depth ${depth}, where arrays of ${shape[depth]} are expected`);
    into.push(Number(x));
    return;
  }
  if (x.length !== shape[depth])
    fail('tensor', `rows differ: ${x.length} values at depth ${depth}, the first row has ${shape[depth] ?? 'none'}`);
  for (const e of x) flatten(e, shape, into, depth + 1);
};

let unnamed = 0;
/** As whole numbers of its own width: printed, -0 would be 0. */
const bitsOf = (values: HostArray): HostArray =>
  values instanceof Float32Array ? new Uint32Array(values.buffer, values.byteOffset, values.length) : values;
// Small data is named by its content, so that tracing the same text twice gives the same program.
const bind = (values: HostArray, shape: readonly number[], dtype: DType): Node => {
  if (values.length !== sizeOf(shape))
    fail('tensor', `${values.length} values do not fill [${shape}], which has ${sizeOf(shape)}`);
  const name = values.length <= 1024 ? hashText(`${dtype}[${shape}]${bitsOf(values).join()}`) : `${unnamed++}`;
  const node = B.input(`literal.${name}`, shape, dtype, 'data');
  bound.set(node, values);
  return node;
};

const hostTypeOf = (values: HostArray): DType =>
  values instanceof Float32Array
    ? 'f32'
    : values instanceof Int32Array
      ? 'i32'
      : values instanceof Uint32Array
        ? 'u32'
        : 'f16';

const makers: { readonly [D in 'f32' | 'i32' | 'u32' | 'bool']: (values: readonly number[]) => HostArrays[D] } = {
  f32: (v) => Float32Array.from(v),
  i32: (v) => Int32Array.from(v),
  u32: (v) => Uint32Array.from(v),
  bool: (v) => Uint32Array.from(v, (x) => Number(x !== 0)),
};

/**
 * A tensor of host data: nested arrays, `tensor([[1, 2], [3, 4]])` (f32, or bool for booleans, or the given dtype), or a
 * typed array with its shape, `tensor(new Float32Array(6), [2, 3])`. f16 and bf16 from a Uint16Array are raw bits. The data is copied.
 */
export function tensor<const A extends Nested>(values: A): Tensor<NestedShape<A>, ElementType<A>>;
export function tensor<const A extends Nested, const D extends DType>(values: A, dtype: D): Tensor<NestedShape<A>, D>;
export function tensor<A extends Float32Array | Int32Array | Uint32Array, const T extends readonly number[]>(
  values: A,
  shape: T,
): Tensor<ShapeOf<T>, HostType<A>>;
export function tensor<const T extends readonly number[], const D extends DType>(
  values: HostArrays[D],
  shape: T,
  dtype: D,
): Tensor<ShapeOf<T>, D>;
export function tensor(values: Nested | HostArray, shapeOrType?: DType | readonly number[], dtype?: DType): AnyTensor {
  if (ArrayBuffer.isView(values)) {
    const shape = typeof shapeOrType === 'object' ? shapeOrType : [values.length];
    const to = dtype ?? hostTypeOf(values);
    if (makeable(values, to)) return wrap(bind(values.slice(), shape, to));
    return fail('tensor', `a ${values.constructor.name} holds no ${to}`);
  }
  const shape = shapeOfNested(values);
  const flat: number[] = [];
  flatten(values, shape, flat);
  const to = typeof shapeOrType === 'string' ? shapeOrType : isBoolean(values) ? 'bool' : 'f32';
  if (to === 'f16' || to === 'bf16') return wrap(B.cast(bind(makers.f32(flat), shape, 'f32'), to));
  return wrap(bind(makers[to](flat), shape, to));
}

const isBoolean = (x: Nested): boolean =>
  typeof x === 'object' ? x.length > 0 && isBoolean(x[0]!) : typeof x === 'boolean';
const makeable = (values: HostArray, to: DType): boolean =>
  to === 'bool'
    ? values instanceof Uint32Array
    : to === 'bf16'
      ? values instanceof Uint16Array
      : hostTypeOf(values) === to;
