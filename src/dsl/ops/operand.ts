// What the typed operations share: axes counted from either end, number operands, dtype checks.
import * as B from '../core/build.ts';
import { type DType, highest, isFloat, lowest } from '../core/dtype.ts';
import { DslError, describe } from '../core/error.ts';
import type { Node } from '../core/types.ts';
import type { Same, SameShape, Shape, ShowShape } from '../shape.ts';
import { type AnyTensor, unwrap } from '../tensor.ts';

/** Read from an interface, so that the type checker's messages list the dtypes and not these names. */
interface Classes {
  readonly numeric: 'f32' | 'f16' | 'i32' | 'u32';
  readonly integer: 'i32' | 'u32';
  readonly bits: 'i32' | 'u32' | 'bool';
}
export type NumericType = Classes['numeric'];
export type IntegerType = Classes['integer'];
/** Dtypes with `and`, `or`, `xor`, `not`. */
export type BitType = Classes['bits'];

/** `unknown` where a second operand fits the first; else why it doesn't. */
export type Fits<Op extends string, S extends Shape, D extends DType, S2 extends Shape, D2 extends DType> =
  SameShape<S, S2> extends true
    ? Same<D, D2> extends true
      ? unknown
      : `${Op}: ${D} and ${D2} (cast one of them)`
    : `${Op}: shapes ${ShowShape<S>} and ${ShowShape<S2>} differ (expand one of them, or use bias)`;

/** Operands by the names that the message uses; a list is x, y, z. */
type Operands = readonly Node[] | Readonly<Record<string, Node>>;

const isList = (operands: Operands): operands is readonly Node[] => Array.isArray(operands);

export const fail = (op: string, why: string, operands: Operands = [], hint?: string): never => {
  const named: readonly (readonly [string, Node])[] = isList(operands)
    ? operands.map((node, i) => [['x', 'y', 'z'][i] ?? `x${i}`, node])
    : Object.entries(operands);
  throw new DslError(
    op,
    why,
    named.map(([name, node]) => ({ name, node })),
    hint,
  );
};

/** `axis` counted from the front; throws where `rank` has no such axis. */
export const axisOf = (op: string, x: Node, axis: number): number => {
  const rank = x.shape.length;
  const at = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(at) || at < 0 || at >= rank)
    fail(op, `no axis ${axis} in ${describe(x)}`, [x], rank === 0 ? undefined : `axes go from ${-rank} to ${rank - 1}`);
  return at;
};

/** The constant `value` as a `dtype`; throws where the dtype can't hold it. */
export const literal = (op: string, value: number, dtype: DType): Node => {
  if (Number.isNaN(value) || value < lowest[dtype] || value > highest[dtype])
    fail(
      op,
      `${value} is outside of ${dtype}, ${lowest[dtype]} to ${highest[dtype]}`,
      [],
      'infinity and NaN are no constants in shaders: use the lowest or highest value',
    );
  if (!isFloat(dtype) && !Number.isInteger(value))
    fail(op, `${value} is no ${dtype}`, [], "cast the tensor to 'f32' first");
  return B.constant(value, dtype);
};

/** A second operand: the tensor, or the number repeated to the shape of `x`. */
export const operand = (op: string, y: number | AnyTensor, x: Node): Node =>
  typeof y === 'number' ? B.broadcastTo(literal(op, y, x.dtype), x.shape) : unwrap(y);

export const needFloat = (op: string, x: Node): Node =>
  x.dtype === 'f32' || x.dtype === 'f16' ? x : fail(op, `needs f32 or f16, got ${x.dtype}`, [x], "cast to 'f32' first");

/** One number for both axes of an image, or [rows, columns]. */
export type Both = number | readonly [number, number];
export const both = (v: Both): readonly [number, number] => (typeof v === 'number' ? [v, v] : v);
