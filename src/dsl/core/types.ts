// The shape of an expression node; node.ts makes them.
import type { DType } from './dtype.ts';
import type { Op } from './op.ts';

export interface Result {
  readonly shape: readonly number[];
  readonly dtype: DType;
}

export interface Node extends Result {
  /** Creation order, which is a topological order. */
  readonly id: number;
  /** Structural hash: equal for equal graphs in any process. */
  readonly digest: string;
  readonly op: Op;
  readonly src: readonly Node[];
  /** Results of a fused call, which `pick` selects from; one entry for every other node. */
  readonly outs: readonly Result[];
  /** `file:line` of the user's code that built it. */
  readonly site: () => string;
  /** Module path, as `vision.blocks.3`. */
  readonly path: string;
}
