// Reverse mode: walks from the newest node to the oldest and hands each cotangent to the rule of the node's family.
import { add, cast, like } from '../core/build.ts';
import { DslError, describe } from '../core/error.ts';
import { fusedCall } from '../core/fused-registry.ts';
import { makeNode } from '../core/node.ts';
import { type Origin, withOrigin } from '../core/provenance.ts';
import type { Node } from '../core/types.ts';
import { rematerialise } from './checkpoint.ts';
import { customRule } from './custom.ts';
import { nodeHeap } from './heap.ts';
import { liveness } from './liveness.ts';
import { applyRule } from './vjp-rules.ts';

type Maybe = Node | null;

/** bf16 is storage: its cotangents are added in f32. */
const plus = (a: Node, b: Node): Node =>
  a.dtype === 'bf16' ? cast(add(cast(a, 'f32'), cast(b, 'f32')), 'bf16') : add(a, b);

const suffix = 'backward';
const backwardOf = (n: Node): Origin => ({
  site: n.site,
  path: n.path === suffix || n.path.endsWith(`.${suffix}`) ? n.path : n.path === '' ? suffix : `${n.path}.${suffix}`,
});

const check = (n: Node, ct: Node, index: number): void => {
  const out = n.outs[index]!;
  if (ct.dtype !== out.dtype || ct.shape.length !== out.shape.length || ct.shape.some((d, i) => d !== out.shape[i]))
    throw new DslError('vjp', `the cotangent of ${describe(out)} is ${describe(ct)}`, [
      { name: 'y', node: n },
      { name: 'ct', node: ct },
    ]);
};

/**
 * Cotangents of `wanted`, given those of `roots` (`null`: zero). An entry is `null` where no path leads. Contributions are
 * added in the order of falling consumer ids. A node is taken again if a cotangent reaches it late, which linearity allows.
 */
export const pullback = (
  roots: readonly Node[],
  cotangents: readonly Maybe[],
  wanted: readonly Node[],
): readonly Maybe[] => {
  const live = liveness(wanted);
  const targets = new Set(wanted);
  const found = new Map<Node, Node>();
  const pending = new Map<Node, Maybe[]>();
  const heap = nodeHeap();
  // Results of one checkpoint have neighbouring ids: their insides are rebuilt together.
  let group: { readonly nodes: Node[]; readonly cts: Node[]; readonly region: number } | null = null;

  const push = (n: Node, ct: Node, index = 0): void => {
    if (!live.has(n)) return;
    check(n, ct, index);
    let slots = pending.get(n);
    if (!slots) {
      slots = n.outs.map(() => null);
      pending.set(n, slots);
      heap.push(n);
    }
    const before = slots[index];
    slots[index] = before ? withOrigin(backwardOf(n), () => plus(before, ct)) : ct;
  };

  const enter = (outs: readonly Node[], cts: readonly Maybe[]): void => {
    live.extend(outs);
    outs.forEach((o, i) => {
      const ct = cts[i];
      if (ct) push(o, ct);
    });
  };

  const flush = (): void => {
    if (!group) return;
    const { nodes, cts, region } = group;
    group = null;
    enter(rematerialise(nodes, region), cts);
  };

  const joins = (n: Node): boolean =>
    group !== null &&
    n.op.kind === 'mark' &&
    n.op.mark.m === 'checkpoint' &&
    n.op.mark.region === group.region &&
    n.src.length === group.nodes[0]!.src.length &&
    n.src.every((s, i) => i === 0 || s === group!.nodes[0]!.src[i]);

  const visitMark = (n: Node, ct: Node): void => {
    if (n.op.kind !== 'mark') return;
    const { mark } = n.op;
    if (mark.m === 'custom') {
      const args = n.src.slice(1);
      customRule(mark, n)(args, n, ct).forEach((c, i) => {
        if (c && args[i]) push(args[i], c);
      });
    } else if (mark.m === 'checkpoint') {
      if (group) group = { ...group, nodes: [...group.nodes, n], cts: [...group.cts, ct] };
      else group = { nodes: [n], cts: [ct], region: mark.region };
    } else if (mark.m !== 'stopGradient') push(n.src[0]!, ct);
  };

  const visitFused = (n: Node, cts: readonly Maybe[]): void => {
    if (n.op.kind !== 'fused') return;
    const { call, attrs } = n.op;
    const { vjp, reference } = fusedCall(call);
    if (!vjp) {
      enter(reference(attrs, n.src), cts);
      return;
    }
    const outs = n.outs.map((_, index) => makeNode({ kind: 'pick', index }, [n]));
    vjp(attrs, n.src, outs, cts).forEach((c, i) => {
      if (c) push(n.src[i]!, c);
    });
  };

  const visit = (n: Node, cts: readonly Maybe[]): void => {
    const ct = cts[0];
    if (n.op.kind === 'fused') visitFused(n, cts);
    else if (!ct) return;
    else if (n.op.kind === 'mark') visitMark(n, ct);
    else if (n.op.kind === 'pick') push(n.src[0]!, ct, n.op.index);
    else
      applyRule(n, ct).forEach((c, i) => {
        if (c && live.has(n.src[i]!)) push(n.src[i]!, c());
      });
  };

  enter(roots, cotangents);
  for (;;) {
    const n = heap.pop();
    if (n === undefined) {
      if (!group) break;
      flush();
      continue;
    }
    if (group && !joins(n)) {
      heap.push(n);
      flush();
      continue;
    }
    const cts = pending.get(n)!;
    pending.delete(n);
    const [ct] = cts;
    if (ct && targets.has(n)) {
      const before = found.get(n);
      found.set(n, before ? plus(before, ct) : ct);
    }
    withOrigin(backwardOf(n), () => visit(n, cts));
  }
  return wanted.map((w) => found.get(w) ?? null);
};

/** As `pullback`, with zeros where no path leads. */
export const gradients = (
  roots: readonly Node[],
  cotangents: readonly Maybe[],
  wanted: readonly Node[],
): readonly Node[] => pullback(roots, cotangents, wanted).map((g, i) => g ?? like(0, wanted[i]!));
