// Convolution as a contraction of the weights with sliding windows, which are views.
import { contract, expand, pad, reshape, slide } from '../core/build.ts';
import { DslError } from '../core/error.ts';
import { isKind } from '../core/node.ts';
import type { ConvSpec } from '../core/op.ts';
import type { Node } from '../core/types.ts';
import { contractReference } from './contract.ts';

type Four = readonly [number, number, number, number];

/** Windows of x [N, C, H, W]: [N, C, OH, KH, OW, KW], a view of the padded x. */
const windows = (x: Node, conv: ConvSpec, kernel: readonly [number, number], out: readonly [number, number]): Node => {
  const [[top, bottom], [left, right]] = conv.padding;
  const [n, c, h, w] = pad(x, [0, 0, top, left], [0, 0, bottom, right]).shape as Four;
  const padded = pad(x, [0, 0, top, left], [0, 0, bottom, right]);
  // One axis after the other: both at once would exceed 32-bit indices where the window is a picture, as in a weight's gradient.
  const down = expand(reshape(padded, [n, c, h, 1, w]), [n, c, h, kernel[0], w]);
  const rows = slide(down, 2, 3, conv.stride[0], conv.dilation[0], out[0]);
  const across = expand(reshape(rows, [n, c, out[0], kernel[0], w, 1]), [n, c, out[0], kernel[0], w, kernel[1]]);
  return slide(across, 4, 5, conv.stride[1], conv.dilation[1], out[1]);
};

/** The `conv` family as one contraction over windows, groups included. */
export const convAsContract = (node: Node): Node => {
  if (!isKind(node, 'conv')) throw new DslError('convReference', `got a ${node.op.kind} node`);
  const { conv } = node.op;
  const [x, w] = node.src as readonly [Node, Node];
  const [n, c] = x.shape as Four;
  const [o, per, kh, kw] = w.shape as Four;
  const [, , oh, ow] = node.shape as Four;
  const g = conv.groups;
  const patches = reshape(windows(x, conv, [kh, kw], [oh, ow]), [n, g, c / g, oh, kh, ow, kw]);
  const weights = reshape(w, [g, o / g, per, kh, kw]);
  return reshape(contract({ a: 'ngcykxl', b: 'gockl', out: 'ngoyx' }, patches, weights), [n, o, oh, ow]);
};

/** The `conv` family from views, a product and a sum. */
export const convReference = (n: Node): Node => {
  const shaped = convAsContract(n);
  const inner = shaped.op.kind === 'contract' ? shaped : shaped.src[0]!;
  return reshape(contractReference(inner), n.shape);
};
