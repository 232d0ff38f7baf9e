// Finite differences in doubles against the gradients that the language builds, first and second order.
import * as b from '../../src/dsl/core/build.ts';
import { sizeOf } from '../../src/dsl/core/node.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import { gradients } from '../../src/dsl/transform/pullback.ts';
import { close, values } from './draw.ts';
import { interpret } from './interpret.ts';

export interface Leaf {
  readonly node: Node;
  readonly at: Float64Array;
}

let next = 0;
/** An f32 input with repeatable values, or the given ones. */
export const leaf = (
  shape: readonly number[],
  at: Float64Array = values(sizeOf(shape), 17 + shape.length),
  dtype: 'f32' | 'i32' = 'f32',
): Leaf => ({
  node: b.input(`leaf${next++}`, shape, dtype),
  at,
});

const slot = (n: Node): string => {
  if (n.op.kind !== 'input') throw new Error('not an input');
  return n.op.slot;
};

/** Contracts every result with fixed weights, so that each element's gradient shows. */
const scalar = (roots: readonly Node[], salt: number): Node => {
  const terms = roots.map((r, i) => {
    // A smooth function of the position, different for each salt.
    const position = b.reshape(b.cast(b.iota([sizeOf(r.shape)], 0), r.dtype), r.shape);
    const wave = b.sin(b.addConst(b.scale(position, 1.3 + salt * 0.17 + i), 0.5));
    return b.sum(b.mul(r, b.addConst(wave, 0.7)));
  });
  return terms.reduce((x, y) => b.add(x, b.cast(y, x.dtype)));
};

const run = (roots: readonly Node[], leaves: readonly Leaf[], others: readonly Leaf[]): readonly Float64Array[] =>
  interpret(roots, new Map([...leaves, ...others].map((l) => [slot(l.node), l.at])));

const differences = (
  loss: Node,
  leaves: readonly Leaf[],
  others: readonly Leaf[],
  h: number,
): readonly Float64Array[] =>
  leaves.map((l, i) =>
    l.at.map((x, j) => {
      const at = (v: number) => {
        const moved = leaves.map((m, k) => (k === i ? { node: m.node, at: m.at.with(j, v) } : m));
        return run([loss], moved, others)[0]![0]!;
      };
      return (at(x + h) - at(x - h)) / (2 * h);
    }),
  );

export interface Checks {
  /** Further inputs that are not differentiated. */
  readonly others?: readonly Leaf[];
  readonly second?: boolean;
  readonly tolerance?: number;
  readonly h?: number;
}

/** Throws unless the gradients of the results agree with central differences; likewise the gradients of the gradients. */
export const checkGradients = (
  roots: readonly Node[],
  leaves: readonly Leaf[],
  { others = [], second = true, tolerance = 2e-6, h = 1e-5 }: Checks = {},
): void => {
  const wanted = leaves.map((l) => l.node);
  const loss = scalar(roots, 3);
  const grads = gradients([loss], [b.like(1, loss)], wanted);
  const got = run(grads, leaves, others);
  const want = differences(loss, leaves, others, h);
  for (const [i, g] of got.entries()) close(g, want[i]!, tolerance);
  if (!second) return;
  const inner = scalar(grads, 5);
  const seconds = run(gradients([inner], [b.like(1, inner)], wanted), leaves, others);
  const wantSecond = differences(inner, leaves, others, h);
  for (const [i, g] of seconds.entries()) close(g, wantSecond[i]!, tolerance * 10);
};
