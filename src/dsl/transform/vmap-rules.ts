// Mapping rules, one row a family: the node that does for `n` examples what the given one does for one. The mapped axis is
// always axis 0.
import { match } from 'ts-pattern';
import * as b from '../core/build.ts';
import { DslError } from '../core/error.ts';
import type { MappedSource } from '../core/fused-registry.ts';
import { makeNode } from '../core/node.ts';
import type { ConvSpec, EinSpec, Kind, OpOf, View } from '../core/op.ts';
import type { Node } from '../core/types.ts';
import { bitsForKeys } from '../reference/random.ts';

export type VmapRule<K extends Kind> = (op: OpOf<K>, src: readonly MappedSource[], n: number, node: Node) => Node;
/** Families that the walk itself handles. */
export type Special = 'fused' | 'pick' | 'mark' | 'const' | 'input' | 'iota';
export type VmapRules = { readonly [K in Exclude<Kind, Special>]: VmapRule<K> };

/** The source for all examples, repeated where it is the same for each. */
export const mappedNode = ({ node, mapped }: MappedSource, n: number): Node =>
  mapped ? node : b.expand(b.unsqueeze(node, 0), [n, ...node.shape]);
const all = (src: readonly MappedSource[], n: number): readonly Node[] => src.map((s) => mappedNode(s, n));

const mapView = (view: View, x: Node): Node => {
  const n = x.shape[0]!;
  const moved: View = match<View, View>(view)
    .with({ v: 'reshape' }, (v) => ({ ...v, to: [n, ...v.to] }))
    .with({ v: 'permute' }, (v) => ({ ...v, perm: [0, ...v.perm.map((p) => p + 1)] }))
    .with({ v: 'expand' }, (v) => ({ ...v, to: [n, ...v.to] }))
    .with({ v: 'slice' }, (v) => ({ ...v, start: [0, ...v.start], stop: [n, ...v.stop], step: [1, ...v.step] }))
    .with({ v: 'pad' }, (v) => ({
      ...v,
      before: [0, ...v.before],
      after: [0, ...v.after],
      interior: [0, ...v.interior],
    }))
    .with({ v: 'flip' }, (v) => ({ ...v, axes: v.axes.map((a) => a + 1) }))
    .with({ v: 'slide' }, { v: 'unslide' }, (v) => ({ ...v, axis: v.axis + 1, window: v.window + 1 }))
    .exhaustive();
  return b.view(moved, x);
};

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

const mapContract = (spec: EinSpec, [x, y]: readonly MappedSource[]): Node => {
  const used = spec.a + spec.b + spec.out;
  const letter = [...LETTERS].find((l) => !used.includes(l));
  if (letter === undefined) throw new DslError('vmap', 'an einsum has no letter left for the mapped axis');
  const lead = (s: MappedSource, letters: string) => (s.mapped ? letter + letters : letters);
  return b.contract({ a: lead(x!, spec.a), b: lead(y!, spec.b), out: letter + spec.out }, x!.node, y!.node);
};

type Four = readonly [number, number, number, number];
type Five = readonly [number, ...Four];

/** Examples of x go to the batch; examples of w to the output channels; examples of both to the groups. */
const mapConv = (conv: ConvSpec, [x, w]: readonly MappedSource[], n: number, node: Node): Node => {
  const [xn, wn] = [x!.node, w!.node];
  // A convolution of no groups or no outputs has no shape.
  if (n === 0) return b.full(0, [0, ...node.shape], node.dtype);
  const g = conv.groups;
  if (!w!.mapped) {
    const [, batch, ...image] = xn.shape as Five;
    const out = b.conv2d(b.reshape(xn, [n * batch, ...image]), wn, conv);
    return b.reshape(out, [n, batch, ...out.shape.slice(1)]);
  }
  const [, o, ...kernel] = wn.shape as Five;
  if (!x!.mapped) {
    const split = b.permute(b.reshape(wn, [n, g, o / g, ...kernel]), [1, 0, 2, 3, 4, 5]);
    const out = b.conv2d(xn, b.reshape(split, [n * o, ...kernel]), conv);
    const [batch, , oh, ow] = out.shape as Four;
    return b.reshape(b.permute(b.reshape(out, [batch, g, n, o / g, oh, ow]), [2, 0, 1, 3, 4, 5]), [
      n,
      batch,
      o,
      oh,
      ow,
    ]);
  }
  const [, batch, c, h, wd] = xn.shape as Five;
  const images = b.reshape(b.permute(xn, [1, 0, 2, 3, 4]), [batch, n * c, h, wd]);
  const out = b.conv2d(images, b.reshape(wn, [n * o, ...kernel]), { ...conv, groups: n * g });
  const [, , oh, ow] = out.shape as Four;
  return b.permute(b.reshape(out, [batch, n, o, oh, ow]), [1, 0, 2, 3, 4]);
};

const mapGather = (batch: number, src: readonly MappedSource[], n: number): Node => {
  const [x, index] = src as readonly [MappedSource, MappedSource];
  if (!x.mapped && batch === 0) return b.gather(x.node, index.node, 0);
  return b.gather(mappedNode(x, n), mappedNode(index, n), batch + 1);
};

export const vmapRules: VmapRules = {
  random: (_, src, __, node) => bitsForKeys(src[0]!.node, node.shape),
  map: (op, src, n) => makeNode(op, all(src, n)),
  view: ({ view }, src) => mapView(view, src[0]!.node),
  concat: ({ axis }, src, n) => b.concat(all(src, n), axis + 1),
  reduce: ({ by, axes }, src) =>
    b.reduce(
      by,
      src[0]!.node,
      axes.map((a) => a + 1),
    ),
  cumulate: ({ axis, reverse }, src) => b.cumulate(src[0]!.node, axis + 1, reverse),
  sort: ({ descending }, src) => b.argsort(src[0]!.node, descending),
  contract: ({ spec }, src) => mapContract(spec, src),
  conv: ({ conv }, src, n, node) => mapConv(conv, src, n, node),
  gather: ({ batch }, src, n) => mapGather(batch, src, n),
  scatter: ({ batch, combine }, src, n) => {
    const [base, index, updates] = all(src, n) as readonly [Node, Node, Node];
    return b.scatter(base, index, updates, combine, batch + 1);
  },
};
