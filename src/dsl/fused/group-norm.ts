// Group normalisation: rows of one group of channels each, normalised by the row operation, the affine part elementwise.
import { add, alongAxis, cast, mul, reshape } from '../core/build.ts';
import { DslError, describe } from '../core/error.ts';
import { sizeOf } from '../core/node.ts';
import type { Node } from '../core/types.ts';
import { layerNorm } from './layer-norm.ts';

/** `x` [N, C, ..] times `weight` [C] plus `bias` [C], either of them null. */
export const channelAffine = (x: Node, weight: Node | null, bias: Node | null): Node => {
  const over = (v: Node) => alongAxis(cast(v, x.dtype), 1, x.shape);
  const scaled = weight ? mul(x, over(weight)) : x;
  return bias ? add(scaled, over(bias)) : scaled;
};

/** Throws unless `x` has a channel axis and `vs` are [C]. */
export const checkChannels = (op: string, x: Node, vs: Readonly<Record<string, Node | null>>): number => {
  const c = x.shape[1];
  if (c === undefined) throw new DslError(op, `wants x [N, C, ..], got ${describe(x)}`, [{ name: 'x', node: x }]);
  for (const [name, v] of Object.entries(vs))
    if (v && (v.shape.length !== 1 || v.shape[0] !== c))
      throw new DslError(op, `${name} is ${describe(v)}, x has ${c} channels`, [
        { name: 'x', node: x },
        { name, node: v },
      ]);
  return c;
};

/**
 * x [N, C, ..] normalised over the channels of each of `groups` and all further axes, then scaled and shifted by channel.
 * Throws DslError where `groups` does not divide C.
 */
export const groupNorm = (x: Node, groups: number, weight: Node | null, bias: Node | null, eps: number): Node => {
  const c = checkChannels('groupNorm', x, { weight, bias });
  if (groups < 1 || c % groups !== 0)
    throw new DslError(
      'groupNorm',
      `${groups} groups of ${c} channels`,
      [{ name: 'x', node: x }],
      'choose a divisor of the channels',
    );
  const rows = reshape(x, [x.shape[0]! * groups, (c / groups) * sizeOf(x.shape.slice(2))]);
  return channelAffine(reshape(layerNorm(rows, null, null, eps), x.shape), weight, bias);
};
