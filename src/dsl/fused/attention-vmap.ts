// Mapping attention: examples join the batch.
import { expand, fused, reshape } from '../core/build.ts';
import type { MappedSource } from '../core/fused-registry.ts';
import type { Attrs } from '../core/op.ts';
import type { Node } from '../core/types.ts';

/**
 * Results of an attention call whose first `batched` sources have a batch axis, mapped over `n` examples; `null` where the
 * examples differ in their number of valid keys, which one call cannot say.
 */
export const mapAttention = (
  call: string,
  attrs: Attrs,
  src: readonly MappedSource[],
  n: number,
  batched: number,
): readonly Node[] | null => {
  const hasMask = attrs.mask === true;
  if (attrs.validKeys === true && src.at(-1)!.mapped) return null;
  const batch = src[0]!.node.shape[src[0]!.mapped ? 1 : 0]!;
  const fold = ({ node, mapped }: MappedSource): Node => {
    const one = mapped ? node.shape.slice(1) : node.shape;
    const all = mapped ? node : expand(reshape(node, [1, ...one]), [n, ...one]);
    const rest = one.slice(1);
    return reshape(expand(all, [n, batch, ...rest]), [n * batch, ...rest]);
  };
  const folded = src.map((s, i) => {
    if (i < batched) return fold(s);
    if (!hasMask || i > batched) return s.node;
    // A mask that is the same for all examples and all of the batch stays so.
    return s.mapped || s.node.shape[0] !== 1 ? fold(s) : s.node;
  });
  return fused(call, attrs, folded).map((r) => reshape(r, [n, batch, ...r.shape.slice(1)]));
};
