// Debugging: which node of a computation is the first to give infinity or NaN, forward or backward.

import { canonicalise } from '../compiler/simplify/canonical.ts';
import * as B from '../dsl/core/build.ts';
import { type DType, type HostArray, isFloat } from '../dsl/core/dtype.ts';
import { describe } from '../dsl/core/error.ts';
import { sizeOf, topological } from '../dsl/core/node.ts';
import type { Node } from '../dsl/core/types.ts';
import { opName } from '../dsl/tensor.ts';
import type { Backend } from './backend.ts';
import { type RunError, RunFailure } from './error.ts';
import { type Bindings, runGraph } from './evaluate.ts';

export interface NonFinite {
  /** `div f32[2, 64]` */
  readonly what: string;
  readonly site: string;
  readonly path: string;
  /** How many elements are infinite or NaN. */
  readonly count: number;
  readonly elements: number;
}

/**
 * Tests the bits of the stored value: shader compilers fold comparisons with NaN away, and take arithmetic within one kernel
 * to be finite.
 */
const countNonFinite = (n: Node): Node => {
  const flat = B.reshape(B.cast(B.mark({ m: 'materialise' }, n), 'f32'), [sizeOf(n.shape)]);
  const mask = B.full(0x7f800000, flat.shape, 'u32');
  const bad = B.eq(B.and(B.bitcast(flat, 'u32'), mask), mask);
  return B.reshape(B.sum(B.cast(bad, 'i32')), [1]);
};

/** Nodes that a value can first go wrong in: views and marks only pass it on. */
const suspects = (roots: readonly Node[]): readonly Node[] =>
  topological(roots).filter(
    (n) => isFloat(n.dtype) && sizeOf(n.shape) > 0 && !['view', 'mark', 'const', 'fused', 'concat'].includes(n.op.kind),
  );

/** So many nodes are checked in one program. */
const BATCH = 128;

/** The first node below `roots`, in order of construction, with a non-finite value; null where all are finite. Throws as runGraph does. */
export const findNonFinite = async (
  backend: Backend,
  roots: readonly Node[],
  bindings: Bindings = {},
): Promise<NonFinite | null> => {
  const nodes = suspects(canonicalise(roots));
  for (let start = 0; start < nodes.length; start += BATCH) {
    const batch = nodes.slice(start, start + BATCH);
    const counts = await runGraph(backend, batch.map(countNonFinite), bindings);
    const at = counts.findIndex((c) => c.data[0]! > 0);
    if (at < 0) continue;
    const n = batch[at]!;
    return {
      what: `${opName(n)} ${describe(n)}`,
      site: n.site(),
      path: n.path,
      count: counts[at]!.data[0]!,
      elements: sizeOf(n.shape),
    };
  }
  return null;
};

/** Whether all values are finite; 16-bit floats come as their bits. By plain loops: array methods take ten times as long. */
export const isFiniteArray = (data: HostArray, dtype: DType): boolean => {
  if (!isFloat(dtype)) return true;
  if (!(data instanceof Uint16Array)) {
    for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i]!)) return false;
    return true;
  }
  const exponent = dtype === 'f16' ? 0x7c00 : 0x7f80;
  for (let i = 0; i < data.length; i++) if ((data[i]! & exponent) === exponent) return false;
  return true;
};

/**
 * Throws a NonFinite RunFailure that names the operation, its line and its module path where a result of `roots` is not finite.
 * `bindings` are what the results were computed from.
 */
export const assertFinite = async (
  backend: Backend,
  roots: readonly Node[],
  results: readonly HostArray[],
  bindings: Bindings = {},
): Promise<void> => {
  const wrong = roots.findIndex((n, i) => !isFiniteArray(results[i]!, n.dtype));
  // Whole numbers, as codes, are finite whatever they were made of.
  const whole = roots.filter((n) => !isFloat(n.dtype));
  if (wrong < 0 && whole.length === 0) return;
  const found = await findNonFinite(backend, wrong < 0 ? whole : roots, bindings);
  if (wrong < 0 && found === null) return;
  const at = Math.max(0, wrong);
  const { site, path } = roots[at]!;
  const unknown: NonFinite = {
    what: describe(roots[at]!),
    site: site(),
    path,
    count: 1,
    elements: sizeOf(roots[at]!.shape),
  };
  throw new RunFailure(nonFiniteError(found ?? unknown));
};

export const nonFiniteError = (f: NonFinite): RunError => ({
  _tag: 'NonFinite',
  message: [
    `${f.what} has ${f.count} of ${f.elements} values infinite or NaN`,
    ...(f.path ? [`  in ${f.path}`] : []),
    ...(f.site ? [`  from ${f.site}`] : []),
  ].join('\n'),
});
