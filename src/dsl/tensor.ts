// Typed tensors over untyped nodes. The casts of the language are here: `wrap`, `wrapAll`, `dim`, `dual`.
import type { DType } from './core/dtype.ts';
import { DslError, describe } from './core/error.ts';
import type { Node } from './core/types.ts';
import type { Dim, DimOf, Exact, Named, SameShape, Shape, ShapeOf, Sizes, Unknown } from './shape.ts';

declare const typed: unique symbol;

/** A tensor whose type says nothing of its shape or dtype. */
export interface AnyTensor {
  readonly node: Node;
  /** Sizes at run time. */
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/**
 * An immutable expression with shape `S` and dtype `D`, which the type checker follows. `S` is a readonly tuple:
 * `Tensor<readonly [2, 729, 'dim']>`, `Tensor<Rank3>`. A tensor of known sizes is one of unknown sizes too, and of no others: sizes
 * that disagree are an error instead of a union.
 */
export interface Tensor<S extends Shape, in out D extends DType = 'f32'> extends AnyTensor {
  readonly shape: Sizes<S>;
  readonly dtype: D;
  readonly [typed]: { readonly sizes: Exact<S>; readonly dtype: (x: D) => D; readonly fits: (fault: true) => void };
}

/**
 * What a tensor is where `Fault` is true, and isn't where it is a message: intersect it into a parameter. Unlike `Expect` it lets a
 * generic function through that can't work out `Fault` yet, if it is true of unknown sizes.
 */
export interface Fitting<Fault> {
  readonly [typed]: { readonly fits: (fault: Fault) => void };
}

/** A tensor without axes. */
export type ScalarTensor<D extends DType = 'f32'> = Tensor<readonly [], D>;

class TensorValue implements AnyTensor {
  readonly node: Node;
  constructor(node: Node) {
    this.node = node;
    Object.freeze(this);
  }
  get shape(): readonly number[] {
    return this.node.shape;
  }
  get dtype(): DType {
    return this.node.dtype;
  }
  /** `add f32[2, 3]`: an expression has no value until a backend runs it. */
  toString(): string {
    return `${opName(this.node)} ${describe(this.node)}`;
  }
  toJSON(): { readonly op: string; readonly dtype: DType; readonly shape: readonly number[] } {
    return { op: opName(this.node), dtype: this.dtype, shape: this.shape };
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `Tensor(${this.toString()})`;
  }
}

/** A short name of what a node does: `add`, `reshape`, `sum`, `einsum bqd,bkd->bqk`, `param vision.w`. */
export const opName = (n: Node): string => {
  const { op } = n;
  switch (op.kind) {
    case 'map':
      return op.fn;
    case 'view':
      return op.view.v;
    case 'reduce':
      return op.by;
    case 'input':
      return `${op.role} ${op.slot}`;
    case 'const':
      return `const ${op.value}`;
    case 'contract':
      return `einsum ${op.spec.a},${op.spec.b}->${op.spec.out}`;
    case 'fused':
      return op.call;
    case 'pick': {
      const call = n.src[0]!;
      return call.outs.length === 1 ? opName(call) : `${opName(call)}.${op.index}`;
    }
    case 'mark':
      return op.mark.m;
    default:
      return op.kind;
  }
};

const values = new WeakMap<Node, TensorValue>();

/** The tensor of a node. The caller vouches for `S` and `D`; equal nodes give one tensor. */
export const wrap = <S extends Shape, D extends DType>(node: Node): Tensor<S, D> => {
  let value = values.get(node);
  if (value === undefined) {
    value = new TensorValue(node);
    values.set(node, value);
  }
  return value as unknown as Tensor<S, D>;
};

/** `wrap` for the results of an operation with several; the declared type says which. */
export const wrapAll = <T>(nodes: readonly Node[]): T => nodes.map((n) => wrap(n)) as unknown as T;

export const isTensor = (x: unknown): x is AnyTensor => x instanceof TensorValue;

/** @throws DslError where a program that was not type-checked gives something else */
export const unwrap = (x: AnyTensor): Node => {
  if (!isTensor(x))
    throw new DslError(
      'tensor',
      `${x === null ? x : typeof x} where a tensor belongs`,
      [],
      'tensor(..) makes one of numbers',
    );
  return x.node;
};

/**
 * An operation on nodes as `op(x, ...args)` and `op(...args)(x)`: told apart by whether the first argument is a tensor. The
 * declared type of the operation says what the result is.
 */
export const dual = <A extends readonly unknown[]>(f: (x: Node, ...args: A) => Node) => {
  function call<S extends Shape, D extends DType>(x: AnyTensor, ...args: A): Tensor<S, D>;
  function call(...args: A): <S extends Shape, D extends DType>(x: AnyTensor) => Tensor<S, D>;
  function call<S extends Shape, D extends DType>(...all: readonly unknown[]) {
    const apply = (x: AnyTensor, args: readonly unknown[]): Tensor<S, D> => wrap(f(unwrap(x), ...(args as A)));
    const [first, ...rest] = all;
    return isTensor(first) ? apply(first, rest) : (x: AnyTensor) => apply(x, all);
  }
  return call;
};

/** A named size: `data('x', [dim('batch', 8), 3])` is a `Tensor<readonly ['batch', 3]>`. */
export const dim = <const N extends string>(name: N, size: number): Named<N> => {
  if (!Number.isInteger(size) || size < 0)
    throw new DslError('dim', `'${name}' is ${size}: sizes are whole numbers from 0`);
  return size as Named<N>;
};

/**
 * `x` with its shape stated, for sizes that types cannot know: `pipe(x, shaped([2, 64, 32]))`. Sizes known to the type
 * checker must agree; all are checked when the expression is built. -1 accepts any size. Throws DslError.
 */
export const shaped =
  <const T extends readonly number[]>(shape: T) =>
  <S extends Shape, D extends DType>(
    x: Tensor<S, D> & (SameShape<S, ShapeOf<T>> extends true ? unknown : 'shaped: x has another shape'),
  ): Tensor<ShapeOf<T>, D> => {
    const at = unwrap(x);
    if (at.shape.length !== shape.length || shape.some((d, i) => d !== -1 && d !== at.shape[i]))
      throw new DslError('shaped', `the shape is [${at.shape}], not [${shape}]`, [{ name: 'x', node: at }]);
    return wrap(at);
  };

/** `x` with every size forgotten by its type, as by a variable that is declared as `Tensor<Rank3>`. */
export const anySize = <S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<Unknown<S>, D> => wrap(unwrap(x));

/** `x` as a tensor of dtype `to`, checked when the expression is built: for tensors whose dtype the types have lost. */
export const ofDType =
  <const E extends DType>(to: E) =>
  <S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, E> => {
    if (x.dtype !== (to as DType))
      throw new DslError('ofDType', `the dtype is ${x.dtype}, not ${to}`, [{ name: 'x', node: unwrap(x) }]);
    return wrap(unwrap(x));
  };

export type { Dim, DimOf, Shape };
