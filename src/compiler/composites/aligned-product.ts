// Large products whose operands have rows of odd lengths: copied into rows of whole quads first, which costs little beside the loads
// that it saves.
import { mark, pad, sliceAxis } from '../../dsl/core/build.ts';
import { isKind, withSources } from '../../dsl/core/node.ts';
import type { Node } from '../../dsl/core/types.ts';
import { asMatrixProduct, oddAxis } from '../../kernels/contract/product.ts';
import type { Caps } from '../ir/caps.ts';

const QUAD = 4;
/** Results that read an element at least, for a copy of it to pay. */
const READ = 150;

/** The sources of a product that a copy pays for: those that many results read. */
const oddSources = (n: Node): readonly number[] => {
  const p = asMatrixProduct(n);
  if (!p) return [];
  const readers = [p.N, p.M];
  return p.operands.filter((source, which) => readers[which]! >= READ && oddAxis(n.src[source]!) >= 0);
};

/** Whether a product is better computed from copies; where loads are cheap, as on a graphics card, it is not. */
export const hasOddRows = (n: Node, caps: Caps): boolean =>
  caps.target === 'wgsl' && caps.software && isKind(n, 'contract') && oddSources(n).length > 0;

const inQuads = (x: Node): Node => {
  const axis = oddAxis(x);
  const size = x.shape[axis]!;
  const after = x.shape.map((_, i) => (i === axis ? QUAD - (size % QUAD) : 0));
  const none = x.shape.map(() => 0);
  return sliceAxis(mark({ m: 'materialise' }, pad(x, none, after)), axis, 0, size);
};

/** The product of copies with rows of whole quads. */
export const productOfQuads = (n: Node): readonly Node[] => {
  const odd = oddSources(n);
  return [
    withSources(
      n,
      n.src.map((s, i) => (odd.includes(i) ? inQuads(s) : s)),
    ),
  ];
};
