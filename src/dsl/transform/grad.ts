// Gradients of functions of nodes: traced on placeholders, differentiated, then given the real arguments.
import { like } from '../core/build.ts';
import { isFloat } from '../core/dtype.ts';
import { DslError, describe } from '../core/error.ts';
import type { Node } from '../core/types.ts';
import { replaceAbove } from '../core/walk.ts';
import { binding, trace } from './placeholder.ts';
import { gradients } from './pullback.ts';

export type NodeFn = (...xs: readonly Node[]) => readonly Node[];

const differentiable = (what: string, xs: readonly Node[]): void => {
  for (const x of xs)
    if (!isFloat(x.dtype))
      throw new DslError(
        what,
        `${describe(x)} has no gradient`,
        [{ name: 'x', node: x }],
        'close over it instead of passing it as a parameter',
      );
};

export interface Pulled {
  readonly outs: readonly Node[];
  /** Cotangents of the arguments from those of the results; `null` is zero. */
  readonly pull: (cotangents: readonly (Node | null)[]) => readonly Node[];
}

/** Results of `f` at `xs`, and its vector-Jacobian product there. What `f` closes over is constant, also where it is an `x`. */
export const vjpNodes = (f: NodeFn, xs: readonly Node[]): Pulled => {
  differentiable('vjp', xs);
  const { stand, out } = trace(xs, (s) => f(...s));
  const bound = binding(stand, xs);
  return {
    outs: replaceAbove(out, bound),
    pull: (cotangents) => replaceAbove(gradients(out, cotangents, stand), bound),
  };
};

/** Value and gradients of `f`, whose first result is a scalar; further results are handed on as they are. */
export const valueAndGradNodes = (
  f: NodeFn,
  xs: readonly Node[],
): { readonly outs: readonly Node[]; readonly grads: readonly Node[] } => {
  differentiable('grad', xs);
  const { stand, out } = trace(xs, (s) => f(...s));
  const loss = out[0];
  if (!loss || loss.shape.length > 0 || !isFloat(loss.dtype))
    throw new DslError(
      'grad',
      `the loss is ${loss ? describe(loss) : 'missing'}, not a float scalar`,
      loss ? [{ name: 'loss', node: loss }] : [],
      'reduce it with sum or mean',
    );
  const grads = gradients([loss], [like(1, loss)], stand);
  const all = replaceAbove([...out, ...grads], binding(stand, xs));
  return { outs: all.slice(0, out.length), grads: all.slice(out.length) };
};
