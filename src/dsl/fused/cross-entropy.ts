// Cross entropy of logits against class indices, a loss for each row, without the log-probabilities in memory.
import { cast, div, exp, fused, like, log, max, mul, ne, sub, sum, where } from '../core/build.ts';
import { DslError, describe } from '../core/error.ts';
import { defineFused, type FusedCall } from '../core/fused-registry.ts';
import type { Node } from '../core/types.ts';
import { back, checkRows, hits, leadOf, whole, wide } from './rows.ts';

const none = (): readonly number[] => [];

type ReducedBy = NonNullable<FusedCall['reducedBy']>;

/** Throws unless `targets` are class indices, one for each row of `rows`, which are called `name`. */
export const checkTargets = (op: string, name: string, rows: Node, targets: Node): void => {
  const lead = leadOf(rows);
  if (targets.dtype !== 'i32' || targets.shape.length !== lead.length || targets.shape.some((d, i) => d !== lead[i]))
    throw new DslError(
      op,
      `${name} is ${describe(rows)}, targets are ${describe(targets)}`,
      [
        { name, node: rows },
        { name: 'targets', node: targets },
      ],
      'targets are i32, one class index for each row',
    );
};
const check = (logits: Node, targets: Node): void => {
  checkRows('crossEntropy', logits);
  checkTargets('crossEntropy', 'logits', logits, targets);
};

/** True for the rows that count. */
export const counts = (targets: Node, ignoreIndex: number): Node => ne(targets, like(ignoreIndex, targets));

const crossEntropyBy: ReducedBy =
  ({ exponentials, at }) =>
  (attrs, [logits, targets]) => {
    const x = wide(logits!);
    const { most, total } = exponentials(x);
    const loss = sub(log(total), at(sub(x, back(most, x)), targets!));
    return [where(counts(targets!, Number(attrs.ignoreIndex)), loss, like(0, loss))];
  };

const crossEntropyCall = defineFused({
  name: 'crossEntropy',
  rows: true,
  shared: none,
  infer: (_, [logits, targets]) => {
    check(logits!, targets!);
    return [{ shape: targets!.shape, dtype: 'f32' }];
  },
  reference: crossEntropyBy(whole),
  reducedBy: crossEntropyBy,
  vjp: (attrs, [logits, targets], _, [ct]) => [
    fused(crossEntropyGradCall.name, attrs, [logits!, targets!, ct!])[0]!,
    null,
  ],
});

const crossEntropyGradBy: ReducedBy =
  ({ exponentials }) =>
  (attrs, [logits, targets, ct]) => {
    const x = wide(logits!);
    const { most, total } = exponentials(x);
    const p = div(exp(sub(x, back(most, x))), back(total, x));
    const g = where(counts(targets!, Number(attrs.ignoreIndex)), ct!, like(0, ct!));
    const wanted = cast(hits(targets!, x), 'f32');
    return [cast(mul(sub(p, wanted), back(g, x)), logits!.dtype)];
  };
const crossEntropyGradCall = defineFused({
  name: 'crossEntropyGrad',
  rows: true,
  shared: none,
  infer: (_, [logits, targets]) => {
    check(logits!, targets!);
    return [logits!];
  },
  reference: crossEntropyGradBy(whole),
  reducedBy: crossEntropyGradBy,
});

/**
 * logits [.., V] and targets i32 [..] -> loss f32 [..]: log sum exp of the row minus its target's logit, and 0 where the target is
 * `ignoreIndex`. Other targets are in [0, V). Throws DslError where shapes differ.
 */
export const crossEntropy = (logits: Node, targets: Node, ignoreIndex = -100): Node =>
  fused(crossEntropyCall.name, { ignoreIndex }, [logits, targets])[0]!;

/** The mean of `crossEntropy` over the rows that count: a scalar, 0 where none does. */
export const meanCrossEntropy = (logits: Node, targets: Node, ignoreIndex = -100): Node => {
  const counted = sum(cast(counts(targets, ignoreIndex), 'f32'));
  return div(sum(crossEntropy(logits, targets, ignoreIndex)), max(counted, like(1, counted)));
};
