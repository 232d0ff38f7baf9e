// The cross entropy of a linear layer's logits, a chunk of the vocabulary at a time: a chunk's logits are there for one kernel, and
// memory is free again before the next chunk's are made.
import {
  add,
  addConst,
  cast,
  concat,
  gather,
  like,
  log,
  mark,
  mul,
  permute,
  reshape,
  sliceAxis,
  sub,
  where,
} from '../../dsl/core/build.ts';
import { isKind, sizeOf } from '../../dsl/core/node.ts';
import type { Node } from '../../dsl/core/types.ts';
import { counts } from '../../dsl/fused/cross-entropy.ts';
import { dwOf, dxOf, listed, logitsOf, slopeOf, slopesOf } from '../../dsl/fused/linear-cross-entropy.ts';
import { leadOf, rowSum, wide } from '../../dsl/fused/rows.ts';
import { MIN_PARTS } from '../partition/place.ts';
import { joined, type Statistics, statisticsOf } from './statistics.ts';

/** Bytes that the logits of a chunk take at most, up to a whole `STEP` of classes. */
const CHUNK_BYTES = 32 * 2 ** 20;
/** Chunks are multiples of so many classes: their weights and gradients then start where buffers can be bound. */
const STEP = 64;

/** Classes of a chunk: all where their logits are few, else few enough for the gradients of w to be stored in place. */
export const chunkOf = (rows: number, classes: number): number => {
  const bytes = 4 * rows * classes;
  if (bytes <= CHUNK_BYTES) return classes;
  const chunks = Math.max(MIN_PARTS, Math.ceil(bytes / CHUNK_BYTES));
  const most = Math.ceil(classes / chunks / STEP);
  // Where chunks of one size fill the vocabulary, the last one has the shaders of the others.
  for (let steps = most; 2 * steps >= most; steps--) if (classes % (steps * STEP) === 0) return steps * STEP;
  return most * STEP;
};

const chunkFor = ([x, w]: readonly Node[]): number => chunkOf(sizeOf(leadOf(x!)), w!.shape[0]!);
export const needsChunks = (n: Node): boolean => chunkFor(n.src) < n.src[1]!.shape[0]!;

const chunksOf = (w: Node, size: number): readonly Node[] => {
  const classes = w.shape[0]!;
  return Array.from({ length: Math.ceil(classes / size) }, (_, k) =>
    sliceAxis(w, 0, k * size, Math.min(classes, (k + 1) * size)),
  );
};
const after = (x: Node, earlier: readonly Node[]): Node =>
  earlier.length === 0 ? x : mark({ m: 'after' }, x, ...earlier);

/** Chunks of which the rows' statistics are kept before they are joined. */
const GROUP = 16;
const joinedChunks = (found: readonly Statistics[]): Statistics => {
  const rowsOf = (name: keyof Statistics): Node => {
    const each = found.map((s) => reshape(s[name], [1, ...s[name].shape]));
    return permute(concat(each, 0), [1, 0]);
  };
  return joined({ most: rowsOf('most'), total: rowsOf('total') });
};

/** Results of a `linearCrossEntropy` call: losses and log-sum-exps. */
export const lossInChunks = (n: Node, size = chunkFor(n.src)): readonly Node[] => {
  if (!isKind(n, 'fused')) throw new Error(`lossInChunks: a ${n.op.kind} node`);
  const [x, w, targets] = n.src as readonly [Node, Node, Node];
  const rows = listed(x);
  let found: readonly Statistics[] = [];
  for (const chunk of chunksOf(w, size)) {
    if (found.length === GROUP) found = [joinedChunks(found)];
    const earlier = found.slice(-1).map((s) => s.most);
    found = [...found, statisticsOf(logitsOf(after(rows, earlier), chunk))];
  }
  const { most, total } = joinedChunks(found);
  const lse = add(most, log(total));
  const chosen = rowSum(mul(rows, wide(gather(w, reshape(targets, lse.shape)))));
  const loss = reshape(sub(lse, chosen), targets.shape);
  return [where(counts(targets, Number(n.op.attrs.ignoreIndex)), loss, like(0, loss)), reshape(lse, targets.shape)];
};

/** Results of a `linearCrossEntropyGrad` call: the cotangents of x and w, of which some are `used`. */
export const gradientInChunks = (
  n: Node,
  used: (result: number) => boolean,
  size = chunkFor(n.src),
): readonly Node[] => {
  const [x, w] = n.src as readonly [Node, Node];
  const rows = listed(x);
  const slopes = slopesOf(n.src);
  let { target } = slopes;
  let earlier: readonly Node[] = [slopes.lse];
  let dx: Node | null = null;
  const dw: Node[] = [];
  for (const chunk of chunksOf(w, size)) {
    const slope = slopeOf(logitsOf(after(rows, earlier), chunk), { ...slopes, target });
    const own = dxOf(slope, chunk);
    dx = dx ? add(dx, own) : own;
    const part = dwOf(slope, rows, chunk);
    dw.push(part);
    earlier = [dx, part].filter((_, result) => used(result));
    // Counted on in a kernel of its own, so that chunks differ in nothing but their data and share their shaders.
    target = mark({ m: 'materialise' }, addConst(after(target, earlier), -size));
  }
  return [cast(reshape(dx!, x.shape), x.dtype), concat(dw, 0)];
};
