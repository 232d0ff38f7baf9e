// Contraction as a product over all letters, summed: exact, and as slow as it sounds without fusion.
import { cast, expand, mul, permute, reshape, sum } from '../core/build.ts';
import { DslError } from '../core/error.ts';
import { isKind } from '../core/node.ts';
import type { Node } from '../core/types.ts';

/** `x` with axes `letters` laid out over `all`, axes that it lacks repeated. */
const spread = (x: Node, letters: string, all: readonly string[], shape: readonly number[]): Node => {
  const mine = all.filter((l) => letters.includes(l));
  const ordered = permute(
    x,
    mine.map((l) => letters.indexOf(l)),
  );
  return expand(
    reshape(
      ordered,
      all.map((l, i) => (letters.includes(l) ? shape[i]! : 1)),
    ),
    shape,
  );
};

/** The `contract` family from views, a product and a sum. f16 is multiplied and summed in f32. */
export const contractReference = (n: Node): Node => {
  if (!isKind(n, 'contract')) throw new DslError('contractReference', `got a ${n.op.kind} node`);
  const { a, b, out } = n.op.spec;
  const wide = n.dtype === 'f16' ? 'f32' : n.dtype;
  const [x, y] = n.src as readonly [Node, Node];
  const size = new Map<string, number>();
  for (const [i, l] of [...a].entries()) size.set(l, x.shape[i]!);
  for (const [i, l] of [...b].entries()) size.set(l, y.shape[i]!);
  const all = [...out, ...[...size.keys()].filter((l) => !out.includes(l))];
  const shape = all.map((l) => size.get(l)!);
  const product = mul(spread(cast(x, wide), a, all, shape), spread(cast(y, wide), b, all, shape));
  return cast(sum(product, all.map((_, i) => i).slice(out.length)), n.dtype);
};
