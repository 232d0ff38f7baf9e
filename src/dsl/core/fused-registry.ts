// Fused calls: named operations that carry their own reference graph (fallback, oracle and default gradient in one).
import { DslError } from './error.ts';
import type { Attrs } from './op.ts';
import type { Node, Result } from './types.ts';

/** A source of a mapped call: with a leading axis of examples (`mapped`), or the same for all of them. */
export interface MappedSource {
  readonly node: Node;
  readonly mapped: boolean;
}

/** How the rows of a row operation are reduced over their last axis: [.., n] -> [..]. */
export interface RowReductions {
  readonly sum: (x: Node) => Node;
  /** The maximum `most` of x in f32, and `total`, the sum of exp(x - most). */
  readonly exponentials: (x: Node) => { readonly most: Node; readonly total: Node };
  /** The element at each row's `index` i32 [..]; 0 where the row has none. */
  readonly at: (x: Node, index: Node) => Node;
}

export interface FusedCall {
  readonly name: string;
  /** Shapes and dtypes of the results; throws DslError where sources do not fit. */
  readonly infer: (attrs: Attrs, src: readonly Node[]) => readonly Result[];
  /** The same results from plain operations, one node a result. */
  readonly reference: (attrs: Attrs, src: readonly Node[]) => readonly Node[];
  /** Cotangents of the sources; absent: the reference is differentiated. `outs` are the call's own results. */
  readonly vjp?: (
    attrs: Attrs,
    src: readonly Node[],
    outs: readonly Node[],
    ct: readonly (Node | null)[],
  ) => readonly (Node | null)[];
  /**
   * A row operation: its reference is made only of elementwise maps, reductions over the last axis, and expansions back, over
   * sources and results shaped [.., n] (row vectors), [..] (row scalars) or [n] (the `shared` ones). One kernel template walks it.
   */
  readonly rows?: true;
  /** Row operations of which long rows can be reduced in parts: the reference by other reductions than those over a whole row. */
  readonly reducedBy?: (by: RowReductions) => FusedCall['reference'];
  /**
   * Positions of the sources that all rows share. Present (if only as []), it says that the others take any number of
   * leading axes, so that mapping the call is giving it one more.
   */
  readonly shared?: (attrs: Attrs) => readonly number[];
  /**
   * The results for `n` examples at once, each with a leading axis of examples; `null` where it cannot say, and the reference
   * is mapped. Absent too: see `shared`, else the reference is mapped.
   */
  readonly vmap?: (attrs: Attrs, src: readonly MappedSource[], n: number) => readonly Node[] | null;
}

const calls = new Map<string, FusedCall>();

export const defineFused = (call: FusedCall): FusedCall => {
  if (calls.has(call.name)) throw new DslError(call.name, 'a fused call of this name is defined already');
  calls.set(call.name, Object.freeze(call));
  return call;
};

export const fusedCall = (name: string): FusedCall => {
  const call = calls.get(name);
  if (!call) throw new DslError(name, 'no such fused call');
  return call;
};

export const fusedCallNames = (): readonly string[] => [...calls.keys()];
