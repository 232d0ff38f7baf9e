// Tensors over the adapter's binding limit: one buffer, bound in several ranges; loads and stores choose theirs by index. A kernel
// that would bind too many ranges is dispatched in parts, each of which reaches some of them.
import { bytesOf, type DType } from '../../dsl/core/dtype.ts';
import { sizeOf } from '../../dsl/core/node.ts';
import type { Node } from '../../dsl/core/types.ts';
import { builtins } from '../ir/builtins.ts';
import type { Caps } from '../ir/caps.ts';
import { call, type Expr, int, load, ref, where } from '../ir/expr.ts';
import { add, sub } from '../ir/index-math.ts';
import { type Range, reachOf } from '../ir/range.ts';
import type { BufferBinding, KernelCode, Stmt } from '../ir/stmt.ts';
import { childrenOf, mapStmt, withChildren } from '../ir/walk.ts';
import { isPacked } from './half.ts';

export interface Segment {
  /** Index of the binding before segmentation. */
  readonly of: number;
  /** Bytes, or null for a whole buffer. */
  readonly range: { readonly offset: number; readonly size: number } | null;
}
export interface Segmented {
  readonly code: KernelCode;
  readonly bindings: readonly Segment[];
}

/** Elements of one segment: offsets are multiples of 256 bytes, as bindings must be. */
const elementsOf = (dtype: DType, limit: number): number => (Math.floor(limit / 256) * 256) / bytesOf[dtype];

/** How many bindings a kernel needs for a tensor. */
export const bindingsFor = (n: Node, caps: Caps): number => {
  const { binding } = caps.limits;
  const size = sizeOf(n.shape);
  return size * bytesOf[n.dtype] <= binding ? 1 : Math.ceil(size / elementsOf(n.dtype, binding));
};

/** Bindings of a kernel that reads and writes all of `nodes`. */
export const bindingsOf = (nodes: Iterable<Node>, caps: Caps): number => {
  let all = 0;
  for (const n of nodes) all += bindingsFor(n, caps);
  return all;
};

/** Elements that one index of a store counts: where two share a word, stores count words. */
const elementsAStore = (code: KernelCode, caps: Caps) => (buffer: number) =>
  isPacked(code.buffers[buffer]!.dtype, caps) ? 2 : 1;

/** Splits bindings larger than the adapter's limit; of each only the segments within `reach` are bound. */
const segmentWithin = (code: KernelCode, caps: Caps, reach: readonly (Range | null)[]): Segmented => {
  const buffers: BufferBinding[] = [];
  const bindings: Segment[] = [];
  const parts = code.buffers.map((b, of) => {
    const width = bytesOf[b.dtype];
    const whole = b.length * width <= caps.limits.binding;
    const elements = whole ? b.length : elementsOf(b.dtype, caps.limits.binding);
    const [from, to] = whole ? [0, 0] : (reach[of] ?? [0, 0]).map((at) => Math.floor(at / elements));
    const first = buffers.length;
    for (let k = from!; k <= to!; k++) {
      const length = Math.min(elements, b.length - k * elements);
      buffers.push({ ...b, name: `b${buffers.length}`, length });
      bindings.push({
        of,
        range: whole ? null : { offset: k * elements * width, size: Math.ceil((length * width) / 16) * 16 },
      });
    }
    return { first, from: from!, to: to!, elements };
  });
  const memo = new Map<Expr, Expr>();
  const rebuild = (e: Expr): Expr => {
    const known = memo.get(e);
    if (known) return known;
    const kids = childrenOf(e).map(rebuild);
    let made = withChildren(e, kids);
    if (e.e === 'load') {
      const { first, from, to, elements } = parts[e.buffer]!;
      const segmentAt = (k: number): Expr => load(first + k - from, sub(kids[0]!, int(k * elements)), e.type);
      made = segmentAt(to);
      for (let k = to - 1; k >= from; k--)
        made = where(call('lt', kids[0]!, int((k + 1) * elements)), segmentAt(k), made);
    }
    memo.set(e, made);
    return made;
  };
  const statements = (body: readonly Stmt[]): readonly Stmt[] =>
    body.flatMap((s): readonly Stmt[] => {
      const now = mapStmt(s, rebuild, statements);
      if (now.s !== 'store') return [now];
      const { first, from, to, elements } = parts[now.buffer]!;
      const each = elements / elementsAStore(code, caps)(now.buffer);
      const { index, value } = now;
      if (from === to) return [{ ...now, buffer: first, index: sub(index, int(from * each)) }];
      return Array.from({ length: to - from + 1 }, (_, i): Stmt => {
        const k = from + i;
        const below = call('lt', index, int((k + 1) * each));
        const above = call('le', int(k * each), index);
        return {
          s: 'if',
          cond: call('and', above, below),
          then: [{ s: 'store', buffer: first + i, index: sub(index, int(k * each)), value }],
        };
      });
    });
  return { code: { ...code, buffers, body: statements(code.body) }, bindings };
};

/** Workgroups `from` to `to` of a kernel, as a kernel of its own. */
const someGroups = (code: KernelCode, [from, to]: Range): KernelCode => {
  const memo = new Map<Expr, Expr>();
  const rebuild = (e: Expr): Expr => {
    const known = memo.get(e);
    if (known) return known;
    const made =
      e.e === 'ref' && e.name === builtins.group
        ? add(ref(e.name, e.type, 0, to - from), int(from))
        : withChildren(e, childrenOf(e).map(rebuild));
    memo.set(e, made);
    return made;
  };
  const statements = (body: readonly Stmt[]): readonly Stmt[] => body.map((s) => mapStmt(s, rebuild, statements));
  return { ...code, groups: to - from + 1, body: statements(code.body) };
};

/** Into so many dispatches a kernel is split at most. */
const MOST_PARTS = 64;

/**
 * A kernel with tensors larger than the adapter's bindings in segments; where these are more than a kernel may bind, as several
 * kernels for some of the workgroups each, which reach fewer. Without such a split the one kernel with all segments.
 */
export const segment = (code: KernelCode, caps: Caps): readonly Segmented[] => {
  const { binding, storageBuffers } = caps.limits;
  if (code.buffers.every((b) => b.length * bytesOf[b.dtype] <= binding))
    return [{ code, bindings: code.buffers.map((_, of) => ({ of, range: null })) }];
  const whole = segmentWithin(
    code,
    caps,
    code.buffers.map((b) => [0, b.length - 1]),
  );
  if (whole.bindings.length <= storageBuffers) return [whole];
  for (let parts = 2; parts <= Math.min(MOST_PARTS, code.groups); parts *= 2) {
    const size = Math.ceil(code.groups / parts);
    const made = Array.from({ length: Math.ceil(code.groups / size) }, (_, i) => {
      const groups: Range = [i * size, Math.min(code.groups, (i + 1) * size) - 1];
      return segmentWithin(someGroups(code, groups), caps, reachOf(code, groups, elementsAStore(code, caps)));
    });
    if (made.every((m) => m.bindings.length <= storageBuffers)) return made;
  }
  return [whole];
};
