// The reference of a call too large for generic kernels, whose loops are counted in 32 bits: the same call in pieces of one operand,
// joined.
import { concat, sliceAxis } from '../../dsl/core/build.ts';
import { isKind, makeNode, sizeOf, withSources } from '../../dsl/core/node.ts';
import type { Node } from '../../dsl/core/types.ts';

/** Terms that generic kernels go through for one call at most. */
const MOST = 2 ** 30;

interface Split {
  /** Terms in all: products that are added up. */
  readonly terms: number;
  /** The operands that are cut, each along one axis, and the axis along which the results join. */
  readonly cuts: readonly { readonly operand: number; readonly axis: number }[];
  readonly size: number;
  readonly joined: number;
}

const splitOf = (call: Node): Split | null => {
  const { op, src } = call;
  if (isKind(call, 'contract')) {
    const { a, b, out } = call.op.spec;
    const sizes = new Map([a, b].flatMap((axes, k) => [...axes].map((x, i) => [x, src[k]!.shape[i]!] as const)));
    const [letter] = [...out].sort((x, y) => sizes.get(y)! - sizes.get(x)!);
    if (letter === undefined) return null;
    const cuts = [a, b].flatMap((axes, operand) =>
      axes.includes(letter) ? [{ operand, axis: axes.indexOf(letter) }] : [],
    );
    const terms = [...sizes.values()].reduce((n, d) => n * d, 1);
    return { terms, cuts, size: sizes.get(letter)!, joined: out.indexOf(letter) };
  }
  if (op.kind === 'conv' && op.conv.groups === 1) {
    const w = src[1]!;
    const terms = sizeOf(call.shape) * (sizeOf(w.shape) / w.shape[0]!);
    return { terms, cuts: [{ operand: 1, axis: 0 }], size: w.shape[0]!, joined: 1 };
  }
  if (op.kind === 'fused' && op.call === 'nearestCode')
    return {
      terms: src[0]!.shape[0]! * sizeOf(src[1]!.shape),
      cuts: [{ operand: 0, axis: 0 }],
      size: src[0]!.shape[0]!,
      joined: 0,
    };
  return null;
};

/** The results of a call from pieces that generic kernels can index; as they are where it is small enough, or cannot be cut. */
export const inPieces = (call: Node, outputs: readonly Node[], most = MOST): readonly Node[] => {
  const split = splitOf(call);
  if (!split || split.terms <= most) return outputs;
  const step = Math.max(1, Math.floor(split.size / Math.ceil(split.terms / most)));
  const parts = Array.from({ length: Math.ceil(split.size / step) }, (_, i) => {
    const [from, to] = [i * step, Math.min(split.size, (i + 1) * step)];
    const cut = split.cuts.reduce<readonly Node[]>(
      (src, c) => src.map((s, k) => (k === c.operand ? sliceAxis(s, c.axis, from, to) : s)),
      call.src,
    );
    const part = withSources(call, cut);
    return part.op.kind === 'fused' ? makeNode({ kind: 'pick', index: 0 }, [part]) : part;
  });
  return [concat(parts, split.joined)];
};
