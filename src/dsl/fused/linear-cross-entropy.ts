// Cross entropy of a linear layer's logits x w' against class indices: one call, so that no kernel needs to store all logits.
import { add, cast, einsum, exp, fused, like, mul, reshape, sub, where } from '../core/build.ts';
import { isFloat } from '../core/dtype.ts';
import { DslError, describe } from '../core/error.ts';
import { defineFused } from '../core/fused-registry.ts';
import { sizeOf } from '../core/node.ts';
import type { Node } from '../core/types.ts';
import { checkTargets, counts, crossEntropy } from './cross-entropy.ts';
import { back, hits, leadOf, rowLength, wide } from './rows.ts';
import { logSumExp } from './softmax.ts';

const check = (x: Node, w: Node, targets: Node): void => {
  const rows = x.shape.length > 0 && isFloat(x.dtype) && x.dtype !== 'bf16';
  if (!rows || w.shape.length !== 2 || !isFloat(w.dtype) || !w.shape[0] || w.shape[1] !== rowLength(x))
    throw new DslError(
      'linearCrossEntropy',
      `x is ${describe(x)}, w ${describe(w)}`,
      [
        { name: 'x', node: x },
        { name: 'w', node: w },
      ],
      'wants x [.., D] in f32 or f16 and floats w [V, D] of at least one class',
    );
  checkTargets('linearCrossEntropy', 'x', x, targets);
};

/** x [.., D] as one list of rows, in f32. */
export const listed = (x: Node): Node => reshape(wide(x), [sizeOf(leadOf(x)), rowLength(x)]);
/** Rows [n, D] and classes [V, D] -> [n, V]. */
export const logitsOf = (rows: Node, w: Node): Node => einsum('nd,vd->nv', rows, wide(w));

/** What a row's loss depends on beside its logits: scalars of n rows. */
export interface RowSlopes {
  /** i32: the target, as a column of the logits at hand. */
  readonly target: Node;
  /** The log-sum-exp of all of the row's logits. */
  readonly lse: Node;
  /** Cotangents of the target's logit, negated, and of the log-sum-exp. */
  readonly ofTarget: Node;
  readonly ofSum: Node;
}
/** The cotangent of logits [n, v], of all columns or some. */
export const slopeOf = (logits: Node, r: RowSlopes): Node => {
  const ofTarget = where(hits(r.target, logits), back(r.ofTarget, logits), like(0, logits));
  return sub(mul(exp(sub(logits, back(r.lse, logits))), back(r.ofSum, logits)), ofTarget);
};
export const dxOf = (slope: Node, w: Node): Node => einsum('nv,vd->nd', slope, wide(w));
export const dwOf = (slope: Node, rows: Node, w: Node): Node => cast(einsum('nv,nd->vd', slope, rows), w.dtype);

/** The sources of the gradient's call, as its reference and the compiler read them. */
export const slopesOf = ([x, _, target, lse, ofTarget, ofSum]: readonly Node[]): RowSlopes => {
  const flat = (r: Node | undefined): Node => reshape(r!, [sizeOf(leadOf(x!))]);
  return { target: flat(target), lse: flat(lse), ofTarget: flat(ofTarget), ofSum: flat(ofSum) };
};

/** Sources x, w, targets, and the row scalars of `RowSlopes` but for the target; results: the cotangents of x and w. */
const linearCrossEntropyGradCall = defineFused({
  name: 'linearCrossEntropyGrad',
  infer: (_, [x, w, targets]) => {
    check(x!, w!, targets!);
    return [x!, w!];
  },
  reference: (_, src) => {
    const [x, w] = src as readonly [Node, Node];
    const rows = listed(x);
    const slope = slopeOf(logitsOf(rows, w), slopesOf(src));
    return [cast(reshape(dxOf(slope, w), x.shape), x.dtype), dwOf(slope, rows, w)];
  },
});

/** Results: the losses, and the log-sum-exp of each row's logits, from which the gradient makes the logits' softmax again. */
const linearCrossEntropyCall = defineFused({
  name: 'linearCrossEntropy',
  shared: () => [1],
  infer: (_, [x, w, targets]) => {
    check(x!, w!, targets!);
    const row = { shape: targets!.shape, dtype: 'f32' } as const;
    return [row, row];
  },
  reference: (attrs, [x, w, targets]) => {
    const logits = reshape(logitsOf(listed(x!), w!), [...leadOf(x!), w!.shape[0]!]);
    return [crossEntropy(logits, targets!, Number(attrs.ignoreIndex)), logSumExp(logits)];
  },
  vjp: (attrs, [x, w, targets], [, lse], [ct, lseCt]) => {
    const zero = like(0, lse!);
    const ofTarget = ct ? where(counts(targets!, Number(attrs.ignoreIndex)), ct, zero) : zero;
    const ofSum = lseCt ? add(ofTarget, lseCt) : ofTarget;
    return [...fused(linearCrossEntropyGradCall.name, {}, [x!, w!, targets!, lse!, ofTarget, ofSum]), null];
  },
});

/**
 * x [.., D] in f32 or f16, w [V, D] in f32, f16 or bf16, targets i32 [..] -> f32 [..]: the cross entropy of the logits x w' in
 * f32, 0 where the target is `ignoreIndex`; other targets are in [0, V). The compiler takes long vocabularies in chunks. Throws
 * DslError where widths differ, where w has no class, and where targets are not one i32 a row.
 */
export const linearCrossEntropy = (x: Node, w: Node, targets: Node, ignoreIndex = -100): Node =>
  fused(linearCrossEntropyCall.name, { ignoreIndex }, [x, w, targets])[0]!;
