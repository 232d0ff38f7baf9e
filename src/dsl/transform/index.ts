// Transformations of functions of tensors: each takes a function apart into its graph and builds another. Arguments and results
// are tensors or trees of them (tensors). Read grad (on placeholder) and pullback (on liveness, heap) first, with vjp-rules,
// derivatives, adjoint-views, adjoint-conv and storage; then vmap (with vmap-rules), scan, checkpoint and custom.
import type { FloatType } from '../core/dtype.ts';
import type { Node } from '../core/types.ts';
import type { Dim } from '../shape.ts';
import { type AnyTensor, type ScalarTensor, unwrap, wrapAll } from '../tensor.ts';
import { checkpointNodes } from './checkpoint.ts';
import { customVjpNodes } from './custom.ts';
import { valueAndGradNodes, vjpNodes } from './grad.ts';
import { scanNodes } from './scan.ts';
import { type Lead, retype, type Sliced, type Stacked, take } from './tensors.ts';
import { vmapNodes } from './vmap.ts';

export { type Lead, type Sliced, type Stacked, stopGradient } from './tensors.ts';

/** A result tree that a traced function leaves behind. */
const traced = <A extends readonly unknown[], B>(f: (...args: A) => B, args: (nodes: readonly Node[]) => A) => {
  let tree: B | undefined;
  const run = (...nodes: readonly Node[]): readonly Node[] => {
    tree = f(...args(nodes));
    return take(tree).nodes;
  };
  return { run, tree: () => tree };
};

export interface ValueAndGrad<P, D extends FloatType> {
  readonly value: ScalarTensor<D>;
  readonly grads: P;
}

/**
 * The loss and its gradient with respect to the first argument, a tree of float tensors; further arguments are constants.
 * `params` used in any other way than through that argument are constants too. Throws DslError for integer parameters and for
 * a loss that is no scalar.
 */
export const valueAndGrad =
  <P, A extends readonly unknown[], D extends FloatType>(loss: (params: P, ...args: A) => ScalarTensor<D>) =>
  (params: P, ...args: A): ValueAndGrad<P, D> => {
    const { value, grads } = valueAndGradAux((p: P, ...rest: A) => [loss(p, ...rest), null] as const)(params, ...args);
    return { value, grads };
  };

/** As `valueAndGrad` for a function that also returns something else: metrics, a new state. It is handed on as `aux`. */
export const valueAndGradAux =
  <P, A extends readonly unknown[], D extends FloatType, X>(
    loss: (params: P, ...args: A) => readonly [ScalarTensor<D>, X],
  ) =>
  (params: P, ...args: A): ValueAndGrad<P, D> & { readonly aux: X } => {
    const at = take(params);
    const f = traced(
      (p: P) => loss(p, ...args),
      (nodes): [P] => [at.put(nodes)],
    );
    const { outs, grads } = valueAndGradNodes(f.run, at.nodes);
    const [value, aux] = retype<readonly [ScalarTensor<D>, X]>(f.tree(), outs);
    return { value, aux, grads: at.put(grads) };
  };

/** The gradient of a scalar loss with respect to its first argument, of that argument's form. */
export const grad =
  <P, A extends readonly unknown[], D extends FloatType>(loss: (params: P, ...args: A) => ScalarTensor<D>) =>
  (params: P, ...args: A): P =>
    valueAndGrad(loss)(params, ...args).grads;

/** `f` at `args`, and the function from a cotangent of its result to the cotangents of all arguments. */
export const vjp = <A extends readonly unknown[], B>(
  f: (...args: A) => B,
  ...args: A
): { readonly value: B; readonly pull: (cotangent: B) => A } => {
  const at = take(args);
  const g = traced(f, at.put);
  const { outs, pull } = vjpNodes(g.run, at.nodes);
  return { value: retype<B>(g.tree(), outs), pull: (ct) => at.put(pull(take(ct).nodes)) };
};

/**
 * `f` over a new first axis of all its arguments at once: `vmap(f)(xs)` equals `f` of each `xs[i]`, stacked. What `f` closes over is
 * the same for all. Throws DslError where first axes differ.
 */
export const vmap =
  <A extends readonly unknown[], B>(f: (...args: A) => B) =>
  <N extends Dim>(...xs: { readonly [K in keyof A]: Stacked<A[K], N> }): Stacked<B, N> => {
    const at = take(xs);
    const g = traced(f, (nodes) => retype<A>(xs, nodes));
    const outs = vmapNodes(g.run)(...at.nodes);
    return retype<Stacked<B, N>>(g.tree(), outs);
  };

/**
 * `f` with the same values, whose intermediate results are not kept for the backward pass but computed again in it. Arguments
 * and tensors that `f` closes over get their gradients.
 */
export const checkpoint =
  <A extends readonly unknown[], B>(f: (...args: A) => B) =>
  (...args: A): B => {
    const at = take(args);
    const g = traced(f, at.put);
    const outs = checkpointNodes(g.run)(...at.nodes);
    return retype<B>(g.tree(), outs);
  };

/**
 * `f` with a gradient of its own: `backward` gives a cotangent (or `null`) for each argument. What `f` closes over gets none.
 * `customVjp(round, (_, __, ct) => [ct])` is the straight-through estimator.
 */
export const customVjp = <A extends readonly AnyTensor[], B extends AnyTensor>(
  f: (...args: A) => B,
  backward: (args: A, out: B, ct: B) => { readonly [K in keyof A]: A[K] | null },
): ((...args: A) => B) => {
  const one = (n: Node): B => wrapAll<[B]>([n])[0];
  const run = customVjpNodes(
    (...nodes) => unwrap(f(...wrapAll<A>(nodes))),
    (nodes, out, ct) => backward(wrapAll<A>(nodes), one(out), one(ct)).map((c) => (c ? unwrap(c) : null)),
  );
  return (...args) => one(run(...args.map(unwrap)));
};

/**
 * Runs `f(carry, x)` over the first axis of `xs` (a tree; `null` with a `length`), and gives the last carry and the second results
 * stacked. The length is static and the loop unrolled: steps share kernels, not dispatches. Differentiable, mappable.
 */
export const scan = <C, X, Y>(
  f: (carry: C, x: Sliced<X>) => readonly [C, Y],
  init: C,
  xs: X,
  length?: number,
): readonly [C, Stacked<Y, Lead<X>>] => {
  const [c, x] = [take(init), take(xs)];
  let ys: Y | undefined;
  const { carry, y } = scanNodes(
    (cs, slices) => {
      const [next, out] = f(c.put(cs), retype<Sliced<X>>(xs, slices));
      ys = out;
      return { carry: take(next).nodes, y: take(out).nodes };
    },
    c.nodes,
    x.nodes,
    length,
  );
  return [c.put(carry), retype<Stacked<Y, Lead<X>>>(ys, y)];
};
