// Mapping a function over a leading axis: every node that depends on a mapped argument is rebuilt for all examples at once.

import * as b from '../core/build.ts';
import { DslError, describe } from '../core/error.ts';
import { fusedCall, type MappedSource as Source } from '../core/fused-registry.ts';
import { isKind } from '../core/node.ts';
import type { Kind, Mark } from '../core/op.ts';
import { withOrigin } from '../core/provenance.ts';
import type { Node } from '../core/types.ts';
import { topologicalUntil } from '../core/walk.ts';
import { customRule, defineRule } from './custom.ts';
import type { NodeFn } from './grad.ts';
import { placeholder } from './placeholder.ts';
import { mappedNode, type Special, vmapRules } from './vmap-rules.ts';

type Results = readonly Node[];

/** A custom rule for all examples, the same mark for the same rule and mapping. */
const mappedMarks = new WeakMap<Mark, Map<string, Mark>>();

const mappedCustom = (mark: Mark, node: Node, mapped: readonly boolean[], n: number): Mark => {
  const known = mappedMarks.get(mark) ?? new Map<string, Mark>();
  mappedMarks.set(mark, known);
  const name = `${n}:${mapped.map(Number).join('')}`;
  const before = known.get(name);
  if (before) return before;
  const single = customRule(mark, node);
  const made = defineRule((args, out, ct) => {
    const one = (x: Node) => placeholder({ shape: x.shape.slice(1), dtype: x.dtype });
    const stand = args.map((a, i) => (mapped[i] ? one(a) : a));
    const [outOne, ctOne] = [one(out), one(ct)];
    const leaves = new Map<Node, Node>([
      [outOne, out],
      [ctOne, ct],
    ]);
    stand.forEach((s, i) => {
      if (mapped[i]) leaves.set(s, args[i]!);
    });
    const cts = single(stand, outOne, ctOne);
    const built = mapNodes(
      cts.filter((c) => c !== null),
      leaves,
      n,
    );
    let next = 0;
    return cts.map((c, i) => {
      if (c === null) return null;
      const each = mappedNode(built[next++]!, n);
      return mapped[i] ? each : b.sum(each, [0]);
    });
  });
  known.set(name, made);
  return made;
};

const mapMark = (mark: Mark, node: Node, src: readonly Source[], n: number): Node => {
  const [value, ...rest] = src as readonly [Source, ...Source[]];
  const over = mappedNode(value, n);
  if (mark.m === 'custom') {
    const changed = mappedCustom(
      mark,
      node,
      rest.map((s) => s.mapped),
      n,
    );
    return b.mark(changed, over, ...rest.map((s) => s.node));
  }
  return b.mark(mark, over, ...rest.map((s) => s.node));
};

const mapFused = (
  node: Node,
  src: readonly Source[],
  n: number,
  solve: (roots: readonly Node[]) => readonly Source[],
): Results => {
  if (!isKind(node, 'fused')) return [];
  const { call, attrs } = node.op;
  const { vmap, shared, reference } = fusedCall(call);
  if (shared) {
    const common = shared(attrs);
    if (src.every((s, i) => !common.includes(i) || !s.mapped))
      return b.fused(
        call,
        attrs,
        src.map((s, i) => (common.includes(i) ? s.node : mappedNode(s, n))),
      );
  }
  const own = vmap?.(attrs, src, n);
  if (own) return own;
  return solve(reference(attrs, node.src)).map((s) => mappedNode(s, n));
};

/** `roots` for all `n` examples, where the leaves in `mapped` are replaced by nodes with a leading axis of examples. */
export const mapNodes = (roots: readonly Node[], mapped: ReadonlyMap<Node, Node>, n: number): readonly Source[] => {
  // null: the same for every example.
  const made = new Map<Node, Results | null>();
  for (const [one, many] of mapped) made.set(one, [many]);
  const sourceOf = (s: Node): Source => {
    const results = made.get(s);
    return results ? { node: results[0]!, mapped: true } : { node: s, mapped: false };
  };
  const single = (node: Node, src: readonly Source[]): Node => {
    const apply = <K extends Exclude<Kind, Special>>(kind: K): Node => {
      if (!isKind(node, kind)) throw new DslError('vmap', `a ${node.op.kind} node where ${kind} was expected`);
      return vmapRules[kind](node.op, src, n, node);
    };
    const { op } = node;
    if (op.kind === 'mark') return mapMark(op.mark, node, src, n);
    if (op.kind === 'const' || op.kind === 'input' || op.kind === 'iota' || op.kind === 'fused' || op.kind === 'pick')
      throw new DslError('vmap', `no rule for a ${op.kind} node`);
    return apply(op.kind);
  };
  const solve = (wanted: readonly Node[]): readonly Source[] => {
    for (const node of topologicalUntil(wanted, (m) => made.has(m))) {
      if (!node.src.some((s) => made.get(s))) {
        made.set(node, null);
        continue;
      }
      const { op } = node;
      if (op.kind === 'pick') {
        made.set(node, [made.get(node.src[0]!)![op.index]!]);
        continue;
      }
      const src = node.src.map(sourceOf);
      made.set(
        node,
        withOrigin(node, () => (op.kind === 'fused' ? mapFused(node, src, n, solve) : [single(node, src)])),
      );
    }
    return wanted.map(sourceOf);
  };
  return solve(roots);
};

/**
 * `f` over the first axis of every argument whose `axes` entry is not `null` (all by default): results get that axis first.
 * Throws DslError where the arguments disagree about its size.
 */
export const vmapNodes =
  (f: NodeFn, axes?: readonly (0 | null)[]): NodeFn =>
  (...xs) => {
    const over = xs.map((_, i) => axes?.[i] !== null);
    const lengths = xs.filter((x, i) => over[i] && x.shape.length > 0).map((x) => x.shape[0]!);
    const n = lengths[0];
    if (n === undefined || xs.some((x, i) => over[i] && x.shape[0] !== n))
      throw new DslError(
        'vmap',
        `the first axes of ${xs.map(describe).join(', ')} differ`,
        xs.map((node, i) => ({ name: `x${i}`, node })),
      );
    const stand = xs.map((x, i) => (over[i] ? placeholder({ shape: x.shape.slice(1), dtype: x.dtype }) : x));
    const out = f(...stand);
    const leaves = new Map(stand.flatMap((s, i) => (over[i] ? [[s, xs[i]!] as const] : [])));
    return mapNodes(out, leaves, n).map((s) => mappedNode(s, n));
  };
