// Cross entropy of logits against class indices, a loss for each row, without the log-probabilities in memory.
import { cast, div, eq, exp, fused, iota, like, log, max, mul, ne, sub, sum, where } from '../core/build.ts';
import { DslError, describe } from '../core/error.ts';
import { defineFused } from '../core/fused-registry.ts';
import type { Node } from '../core/types.ts';
import { back, checkRows, leadOf, row, rowSum, wide } from './rows.ts';

const none = (): readonly number[] => [];

const check = (logits: Node, targets: Node): void => {
  checkRows('crossEntropy', logits);
  const lead = leadOf(logits);
  if (targets.dtype !== 'i32' || targets.shape.length !== lead.length || targets.shape.some((d, i) => d !== lead[i]))
    throw new DslError(
      'crossEntropy',
      `logits are ${describe(logits)}, targets ${describe(targets)}`,
      [
        { name: 'logits', node: logits },
        { name: 'targets', node: targets },
      ],
      'targets are i32, one class index for each row',
    );
};

const counts = (targets: Node, ignoreIndex: number): Node => ne(targets, like(ignoreIndex, targets));
/** True at the column that the row's target names. */
const hits = (targets: Node, x: Node): Node => eq(iota(x.shape, x.shape.length - 1), back(targets, x));

const crossEntropyCall = defineFused({
  name: 'crossEntropy',
  rows: true,
  shared: none,
  infer: (_, [logits, targets]) => {
    check(logits!, targets!);
    return [{ shape: targets!.shape, dtype: 'f32' }];
  },
  reference: (attrs, [logits, targets]) => {
    const x = wide(logits!);
    const shifted = sub(x, back(row('max', x), x));
    const chosen = rowSum(where(hits(targets!, x), shifted, like(0, shifted)));
    const loss = sub(log(rowSum(exp(shifted))), chosen);
    return [where(counts(targets!, Number(attrs.ignoreIndex)), loss, like(0, loss))];
  },
  vjp: (attrs, [logits, targets], _, [ct]) => [
    fused(crossEntropyGradCall.name, attrs, [logits!, targets!, ct!])[0]!,
    null,
  ],
});

const crossEntropyGradCall = defineFused({
  name: 'crossEntropyGrad',
  rows: true,
  shared: none,
  infer: (_, [logits, targets]) => {
    check(logits!, targets!);
    return [logits!];
  },
  reference: (attrs, [logits, targets, ct]) => {
    const x = wide(logits!);
    const e = exp(sub(x, back(row('max', x), x)));
    const p = div(e, back(rowSum(e), e));
    const g = where(counts(targets!, Number(attrs.ignoreIndex)), ct!, like(0, ct!));
    const wanted = cast(hits(targets!, x), 'f32');
    return [cast(mul(sub(p, wanted), back(g, x)), logits!.dtype)];
  },
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
