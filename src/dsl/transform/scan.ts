// Loops over an axis of static length, unrolled into the graph.
import { concat, full, sliceAxis, squeeze, unsqueeze } from '../core/build.ts';
import { DslError, describe } from '../core/error.ts';
import type { Node } from '../core/types.ts';

export interface Step {
  readonly carry: readonly Node[];
  readonly y: readonly Node[];
}
type StepFn = (carry: readonly Node[], x: readonly Node[]) => Step;

const sameResult = (a: Node, b: Node): boolean =>
  a.dtype === b.dtype && a.shape.length === b.shape.length && a.shape.every((d, i) => d === b.shape[i]);

/**
 * Runs `f` on a carry and on each slice of `xs` along axis 0, `length` times; the `y` are stacked along a new axis 0. The
 * length is static and the loop is unrolled: steps of equal shape share their compiled kernels, not their dispatches. It can be
 * differentiated and mapped. Throws DslError where a step changes the shape or dtype of the carry.
 */
export const scanNodes = (f: StepFn, init: readonly Node[], xs: readonly Node[], length?: number): Step => {
  const n = length ?? xs[0]?.shape[0];
  if (n === undefined) throw new DslError('scan', 'needs xs or a length');
  for (const x of xs)
    if (x.shape[0] !== n)
      throw new DslError('scan', `${describe(x)} has no ${n} steps along axis 0`, [{ name: 'xs', node: x }]);
  let carry = init;
  const ys: (readonly Node[])[] = [];
  for (let t = 0; t < n; t++) {
    const step = f(
      carry,
      xs.map((x) => squeeze(sliceAxis(x, 0, t, t + 1), 0)),
    );
    step.carry.forEach((c, i) => {
      const before = carry[i];
      if (!before || !sameResult(c, before))
        throw new DslError(
          'scan',
          `step ${t} turns the carry ${before ? describe(before) : 'of fewer parts'} into ${describe(c)}`,
          [{ name: 'carry', node: c }],
        );
    });
    carry = step.carry;
    ys.push(step.y);
  }
  if (n === 0) {
    // The shapes of the results are known only from a step: trace one on zeros.
    const probe = f(
      init,
      xs.map((x) => full(0, x.shape.slice(1), x.dtype)),
    );
    return { carry, y: probe.y.map((y) => full(0, [0, ...y.shape], y.dtype)) };
  }
  return {
    carry,
    y: ys[0]!.map((_, i) =>
      concat(
        ys.map((y) => unsqueeze(y[i]!, 0)),
        0,
      ),
    ),
  };
};
