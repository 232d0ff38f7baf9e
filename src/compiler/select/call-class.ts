// The shape class of a call: what its speed depends on, and so the key under which a measured schedule is kept.
import { textOf } from '../../dsl/core/node.ts';
import type { Node } from '../../dsl/core/types.ts';

/** The views between an operand and what is stored, as far as they order memory otherwise; ~ where it is computed on the way. */
const layoutOf = (n: Node): string => {
  if (n.op.kind === 'view') {
    const { view } = n.op;
    const own =
      view.v === 'permute' ? `permute(${view.perm})` : view.v === 'reshape' ? `from(${n.src[0]!.shape})` : view.v;
    return ` ${own}${layoutOf(n.src[0]!)}`;
  }
  return n.op.kind === 'map' ? '~' : '';
};

/** Equal for calls that one schedule suits: the operation, and each operand's dtype, shape and layout. */
export const callClass = (call: Node): string =>
  [
    textOf(call.op),
    ...call.src.map((s) => `${s.dtype}[${s.shape}]${layoutOf(s)}`),
    '->',
    ...call.outs.map((o) => `${o.dtype}[${o.shape}]`),
  ].join(' ');
