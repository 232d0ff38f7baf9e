// The operation families. A pass matches on these (about 15 arms); opcodes within a family live in tables.
import type { DType } from './dtype.ts';

export type Unary =
  | 'neg'
  | 'abs'
  | 'sign'
  | 'exp'
  | 'log'
  | 'sqrt'
  | 'rsqrt'
  | 'recip'
  | 'tanh'
  | 'erf'
  | 'sin'
  | 'cos'
  | 'floor'
  | 'ceil'
  | 'round'
  | 'not';
export type Binary =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'max'
  | 'min'
  | 'pow'
  | 'mod'
  | 'lt'
  | 'le'
  | 'eq'
  | 'ne'
  | 'and'
  | 'or'
  | 'xor'
  | 'shl'
  | 'shr';
/** The draw of a distribution that a random word stands for: u32 to f32, equal to the bit on every backend. */
export type Quantile = 'normalQuantile' | 'gumbelQuantile';
/** `where(cond, a, b)`; `cast` and `bitcast` change the dtype of their one operand. */
export type MapFn = Unary | Binary | Quantile | 'where' | 'cast' | 'bitcast';

export const isQuantile = (fn: MapFn): fn is Quantile => fn === 'normalQuantile' || fn === 'gumbelQuantile';

export type ReduceFn = 'sum' | 'prod' | 'max' | 'min' | 'argmax' | 'argmin';

export type View =
  | { readonly v: 'reshape'; readonly to: readonly number[] }
  | { readonly v: 'permute'; readonly perm: readonly number[] }
  /** Sizes of 1 are repeated to `to`; ranks are equal. */
  | { readonly v: 'expand'; readonly to: readonly number[] }
  /** Half-open ranges with positive steps, one an axis. */
  | {
      readonly v: 'slice';
      readonly start: readonly number[];
      readonly stop: readonly number[];
      readonly step: readonly number[];
    }
  /** `fill` around the tensor, and `interior` copies of it between neighbours. */
  | {
      readonly v: 'pad';
      readonly before: readonly number[];
      readonly after: readonly number[];
      readonly interior: readonly number[];
      readonly fill: number;
    }
  | { readonly v: 'flip'; readonly axes: readonly number[] }
  /** [.., I at axis, .., K at window, ..] -> [.., size, .., K, ..], reading (o * stride + k * dilation, k). */
  | {
      readonly v: 'slide';
      readonly axis: number;
      readonly window: number;
      readonly stride: number;
      readonly dilation: number;
      readonly size: number;
    }
  /** The adjoint of `slide`: [.., O, .., K, ..] -> [.., size, .., K, ..], reading ((i - k * dilation) / stride, k), 0 where that is no index. */
  | {
      readonly v: 'unslide';
      readonly axis: number;
      readonly window: number;
      readonly stride: number;
      readonly dilation: number;
      readonly size: number;
    };

/** Two-operand einsum: each letter one axis. A letter absent from `out` is summed. */
export interface EinSpec {
  readonly a: string;
  readonly b: string;
  readonly out: string;
}

/** 2-d convolution, NCHW with OIHW weights. `padding` is [[top, bottom], [left, right]]. */
export interface ConvSpec {
  readonly stride: readonly [number, number];
  readonly padding: readonly [readonly [number, number], readonly [number, number]];
  readonly dilation: readonly [number, number];
  readonly groups: number;
}

export type Attr = number | string | boolean | readonly number[];
export type Attrs = Readonly<Record<string, Attr>>;

export type Mark =
  | { readonly m: 'stopGradient' }
  /** Forces a buffer here: the compiler neither fuses across it nor recomputes it. */
  | { readonly m: 'materialise' }
  /** A recomputed value; `region` keeps it from being merged with the one of the forward pass. */
  | { readonly m: 'remat'; readonly region: number }
  /** Value of src[0], read once src[1..] are there: an order that no value asks for, so that memory is free by then. */
  | { readonly m: 'after' }
  /** Value of src[0]; backward re-runs its graph from src[1..] (see transform/checkpoint). */
  | { readonly m: 'checkpoint'; readonly region: number }
  /** Value of src[0]; backward is rule `rule` applied to src[1..] (see transform/custom). */
  | { readonly m: 'custom'; readonly rule: number }
  /** A named value that the debugger may report on. */
  | { readonly m: 'probe'; readonly name: string };

export type InputRole = 'param' | 'data' | 'state' | 'scalar';

export type Op =
  | { readonly kind: 'const'; readonly value: number; readonly dtype: DType }
  | {
      readonly kind: 'input';
      readonly slot: string;
      readonly role: InputRole;
      readonly shape: readonly number[];
      readonly dtype: DType;
    }
  | { readonly kind: 'iota'; readonly axis: number; readonly shape: readonly number[] }
  /** src: key u32 [2]. Element i is the threefry-2x32 hash of (key, (i, stream)). */
  | { readonly kind: 'random'; readonly shape: readonly number[] }
  | { readonly kind: 'map'; readonly fn: MapFn; readonly to?: DType }
  | { readonly kind: 'view'; readonly view: View }
  | { readonly kind: 'concat'; readonly axis: number }
  | { readonly kind: 'reduce'; readonly by: ReduceFn; readonly axes: readonly number[] }
  /** Running sum along `axis`, inclusive. */
  | { readonly kind: 'cumulate'; readonly axis: number; readonly reverse: boolean }
  /** Stable argsort along the last axis: i32 positions. */
  | { readonly kind: 'sort'; readonly descending: boolean }
  | { readonly kind: 'contract'; readonly spec: EinSpec }
  | { readonly kind: 'conv'; readonly conv: ConvSpec }
  /** x [B.., A, R..], index i32 [B.., I..] -> [B.., I.., R..]; `batch` = rank of B. */
  | { readonly kind: 'gather'; readonly batch: number }
  /** base [B.., A, R..], index i32 [B.., I..], updates [B.., I.., R..] -> like base. */
  | { readonly kind: 'scatter'; readonly batch: number; readonly combine: 'set' | 'add' }
  /** A named call with several results; its reference graph is in the registry of fused calls. */
  | { readonly kind: 'fused'; readonly call: string; readonly attrs: Attrs }
  | { readonly kind: 'pick'; readonly index: number }
  | { readonly kind: 'mark'; readonly mark: Mark };

export type Kind = Op['kind'];
export type OpOf<K extends Kind> = Extract<Op, { readonly kind: K }>;
