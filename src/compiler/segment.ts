// Tensors over the adapter's binding limit: one buffer, bound in several ranges; loads and stores choose theirs by index.
import { bytesOf, type DType } from '../dsl/core/dtype.ts';
import { sizeOf } from '../dsl/core/node.ts';
import type { Node } from '../dsl/core/types.ts';
import { isPacked } from './half.ts';
import type { Caps } from './ir/caps.ts';
import { call, type Expr, int, load, where } from './ir/expr.ts';
import { sub } from './ir/index-math.ts';
import type { BufferBinding, KernelCode, Stmt } from './ir/stmt.ts';
import { childrenOf, mapStmt, withChildren } from './ir/walk.ts';

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

/** Splits bindings larger than the adapter's limit. */
export const segment = (code: KernelCode, caps: Caps): Segmented => {
  const limit = caps.limits.binding;
  const fits = (b: BufferBinding): boolean => b.length * bytesOf[b.dtype] <= limit;
  if (code.buffers.every(fits)) return { code, bindings: code.buffers.map((_, of) => ({ of, range: null })) };
  const buffers: BufferBinding[] = [];
  const bindings: Segment[] = [];
  const parts = new Map<number, { readonly first: number; readonly count: number; readonly elements: number }>();
  code.buffers.forEach((b, of) => {
    const width = bytesOf[b.dtype];
    const whole = fits(b);
    const elements = whole ? b.length : elementsOf(b.dtype, limit);
    const count = whole ? 1 : Math.ceil(b.length / elements);
    parts.set(of, { first: buffers.length, count, elements });
    for (let k = 0; k < count; k++) {
      const length = Math.min(elements, b.length - k * elements);
      buffers.push({ ...b, name: `b${buffers.length}`, length });
      bindings.push({
        of,
        range: whole ? null : { offset: k * elements * width, size: Math.ceil((length * width) / 16) * 16 },
      });
    }
  });
  const memo = new Map<Expr, Expr>();
  const rebuild = (e: Expr): Expr => {
    const known = memo.get(e);
    if (known) return known;
    const kids = childrenOf(e).map(rebuild);
    let made = withChildren(e, kids);
    if (e.e === 'load') {
      const p = parts.get(e.buffer)!;
      const at = kids[0]!;
      made = load(p.first + p.count - 1, sub(at, int((p.count - 1) * p.elements)), e.type);
      for (let k = p.count - 2; k >= 0; k--)
        made = where(
          call('lt', at, int((k + 1) * p.elements)),
          load(p.first + k, sub(at, int(k * p.elements)), e.type),
          made,
        );
    }
    memo.set(e, made);
    return made;
  };
  const statements = (body: readonly Stmt[]): readonly Stmt[] =>
    body.flatMap((s): readonly Stmt[] => {
      const now = mapStmt(s, rebuild, statements);
      if (now.s !== 'store') return [now];
      const p = parts.get(now.buffer)!;
      const { index, value } = now;
      if (p.count === 1) return [{ ...now, buffer: p.first }];
      // Loads count elements; where two elements share a word, stores count words.
      const each = isPacked(code.buffers[now.buffer]!.dtype, caps) ? p.elements / 2 : p.elements;
      return Array.from({ length: p.count }, (_, k): Stmt => {
        const below = call('lt', index, int((k + 1) * each));
        const above = call('le', int(k * each), index);
        return {
          s: 'if',
          cond: call('and', above, below),
          then: [{ s: 'store', buffer: p.first + k, index: sub(index, int(k * each)), value }],
        };
      });
    });
  return { code: { ...code, buffers, body: statements(code.body) }, bindings };
};
