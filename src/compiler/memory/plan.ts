// Memory: lifetimes of stored values coloured onto whole-buffer slots, donated inputs reused, updates made in place.
import { bytesOf } from '../../dsl/core/dtype.ts';
import { sizeOf } from '../../dsl/core/node.ts';
import type { Node } from '../../dsl/core/types.ts';
import { type Expr, load } from '../ir/expr.ts';
import type { KernelCode, Stmt } from '../ir/stmt.ts';
import { expressionsOf, mapStmt, replaceIn, visitExprs, visitStmts } from '../ir/walk.ts';
import type { EmittedRegion } from '../lower/emit.ts';
import type { Placement } from '../partition/region.ts';
import { bufferBytes, type Slot } from '../program.ts';
import type { Window } from './windows.ts';

export interface PlannedInput {
  readonly node: Node;
  readonly donated: boolean;
}
export interface PlannedStep {
  readonly emitted: EmittedRegion | null;
  readonly reads: readonly Node[];
  readonly writes: readonly Node[];
  /** A concatenation stored by its parts: no kernel, one buffer for all of them. */
  readonly placement?: Placement;
  /** An operand that its result must start as (scatter), with that result. */
  readonly updates?: { readonly operand: Node; readonly result: Node };
}
export interface Copy {
  readonly from: number;
  /** First byte in `from`. */
  readonly offset: number;
  readonly to: number;
  readonly bytes: number;
  readonly node: Node;
}
export interface Plan {
  readonly slots: readonly Slot[];
  readonly slotOf: ReadonlyMap<Node, number>;
  /** First byte of a node that is part of a larger buffer. */
  readonly offsetOf: ReadonlyMap<Node, number>;
  /** Slot of each output; two outputs never share one. */
  readonly outputs: readonly number[];
  /** Each step with its code (bindings merged where it works in place) and the copies to make before it. */
  readonly steps: readonly {
    readonly emitted: EmittedRegion;
    readonly code: KernelCode;
    readonly bound: readonly Node[];
    readonly before: readonly Copy[];
  }[];
  readonly after: readonly Copy[];
}

export const bytesOfNode = (n: Node): number => bufferBytes(sizeOf(n.shape), bytesOf[n.dtype]);

/** Whether every load of binding `read` is at the very index that binding `write` is stored at. */
const sameIndex = (code: KernelCode, read: number, write: number): boolean => {
  const stores: Expr[] = [];
  const roots: Expr[] = [];
  visitStmts(code.body, (s) => {
    roots.push(...expressionsOf(s));
    if (s.s === 'store' && s.buffer === write) stores.push(s.index);
  });
  if (stores.length !== 1) return false;
  let ok = true;
  visitExprs(roots, (e) => {
    if (e.e === 'load' && e.buffer === read && e.index !== stores[0]) ok = false;
  });
  return ok;
};

/** Binding `read` becomes binding `write`, which is then read and written in place. */
const mergeBindings = (
  code: KernelCode,
  bound: readonly Node[],
  read: number,
  write: number,
): { readonly code: KernelCode; readonly bound: readonly Node[] } => {
  const shift = (b: number): number => (b === read ? shift(write) : b > read ? b - 1 : b);
  const by = new Map<Expr, Expr>();
  const roots: Expr[] = [];
  visitStmts(code.body, (s) => {
    roots.push(...expressionsOf(s));
  });
  const memo = new Map<Expr, Expr>();
  visitExprs(roots, (e) => {
    if (e.e === 'load') by.set(e, load(shift(e.buffer), replaceIn(e.index, by, memo), e.type));
  });
  const body = (stmts: readonly Stmt[]): readonly Stmt[] =>
    stmts.map((s) => {
      const now = mapStmt(s, (e) => replaceIn(e, by, new Map()), body);
      return now.s === 'store' ? { ...now, buffer: shift(now.buffer) } : now;
    });
  return {
    code: {
      ...code,
      buffers: code.buffers.filter((_, i) => i !== read).map((b, i) => ({ ...b, name: `b${i}` })),
      body: body(code.body),
    },
    bound: bound.filter((_, i) => i !== read),
  };
};

export const plan = (
  steps: readonly PlannedStep[],
  inputs: readonly PlannedInput[],
  outputs: readonly Node[],
  empty: readonly Node[] = [],
  windows: ReadonlyMap<Node, Window> = new Map(),
): Plan => {
  const slots: Slot[] = [];
  const slotOf = new Map<Node, number>();
  const lastUse = new Map<Node, number>();
  steps.forEach((s, i) => {
    for (const r of s.reads) lastUse.set(r, i);
  });
  const isOutput = new Set(outputs);
  const wholeOf = new Map<Node, Node>();
  const offsetOf = new Map<Node, number>();
  for (const s of steps)
    for (const { names, offset } of s.placement?.parts ?? [])
      for (const name of names) {
        const whole = s.writes[0]!;
        wholeOf.set(name, whole);
        offsetOf.set(name, offset * bytesOf[name.dtype]);
        lastUse.set(whole, Math.max(lastUse.get(whole) ?? 0, lastUse.get(name) ?? 0));
      }
  const newSlot = (bytes: number, holds: Slot['holds']): number => slots.push({ bytes, holds }) - 1;
  for (const { node } of inputs) slotOf.set(node, newSlot(bytesOfNode(node), 'input'));
  for (const [n, { base, offset }] of windows) {
    slotOf.set(n, slotOf.get(base)!);
    offsetOf.set(n, offset);
  }
  for (const n of empty) slotOf.set(n, newSlot(bytesOfNode(n), isOutput.has(n) ? 'output' : 'temp'));
  const donors = new Set(inputs.filter((i) => i.donated && !isOutput.has(i.node)).map((i) => i.node));
  const free: number[] = [];
  const takeTemp = (bytes: number): number => {
    const fit = free.filter((f) => slots[f]!.bytes >= bytes && slots[f]!.bytes <= bytes * 1.125 + 256);
    if (fit.length === 0) return newSlot(bytes, 'temp');
    const best = fit.reduce((x, y) => (slots[y]!.bytes < slots[x]!.bytes ? y : x));
    free.splice(free.indexOf(best), 1);
    return best;
  };

  const copyOf = (node: Node, to: number): Copy => ({
    from: slotOf.get(node)!,
    offset: offsetOf.get(node) ?? 0,
    to,
    bytes: bytesOfNode(node),
    node,
  });

  const planned = steps.flatMap((step, i) => {
    if (step.emitted === null) return [];
    let { code, bound } = step.emitted;
    const before: Copy[] = [];
    const moved = new Set<Node>();
    // One buffer is bound for reading or for writing, so a kernel that also reads a window of it works elsewhere.
    const windowed = new Set(bound.flatMap((n) => windows.get(n)?.base ?? []));
    for (const w of step.writes) {
      const bytes = bytesOfNode(w);
      const whole = wholeOf.get(w);
      if (whole) {
        const size = bytesOfNode(whole);
        if (!slotOf.has(whole)) slotOf.set(whole, isOutput.has(whole) ? newSlot(size, 'output') : takeTemp(size));
        slotOf.set(w, slotOf.get(whole)!);
        continue;
      }
      const dying = (d: Node): boolean => (lastUse.get(d) ?? -1) <= i && donors.has(d) && bytesOfNode(d) === bytes;
      if (step.updates?.result === w) {
        const from = step.updates.operand;
        const isTemp = slots[slotOf.get(from)!]!.holds === 'temp';
        const mine =
          (donors.has(from) || (isTemp && !isOutput.has(w))) &&
          lastUse.get(from) === i &&
          !isOutput.has(from) &&
          !wholeOf.has(from) &&
          !bound.includes(from) &&
          !windowed.has(from);
        if (mine) {
          slotOf.set(w, slotOf.get(from)!);
          donors.delete(from);
          moved.add(from);
        } else {
          const to = isOutput.has(w) ? newSlot(bytes, 'output') : takeTemp(bytes);
          slotOf.set(w, to);
          before.push(copyOf(from, to));
        }
        continue;
      }
      if (isOutput.has(w)) {
        const write = bound.indexOf(w);
        const here = [...donors].filter((d) => dying(d) && d.dtype === w.dtype);
        const inPlace = here.find(
          (d) => bound.includes(d) && !windowed.has(d) && sameIndex(code, bound.indexOf(d), write),
        );
        const earlier = here.find((d) => !step.reads.includes(d));
        const donor = inPlace ?? earlier;
        if (donor) {
          if (donor === inPlace) ({ code, bound } = mergeBindings(code, bound, bound.indexOf(donor), write));
          slotOf.set(w, slotOf.get(donor)!);
          donors.delete(donor);
        } else slotOf.set(w, newSlot(bytes, 'output'));
        continue;
      }
      slotOf.set(w, takeTemp(bytes));
    }
    for (const n of [...step.reads, ...step.writes].map((x) => wholeOf.get(x) ?? x)) {
      const slot = slotOf.get(n)!;
      if (slots[slot]!.holds === 'temp' && !moved.has(n) && (lastUse.get(n) ?? i) <= i && !free.includes(slot))
        free.push(slot);
    }
    return [{ emitted: step.emitted, code, bound, before }];
  });

  const after: Copy[] = [];
  const given = new Set<number>();
  const outSlots = outputs.map((o) => {
    const slot = slotOf.get(o)!;
    const own = slots[slot]!.holds === 'output' || inputs.some((x) => slotOf.get(x.node) === slot && x.donated);
    if (own && !given.has(slot)) {
      given.add(slot);
      return slot;
    }
    const to = newSlot(bytesOfNode(o), 'output');
    after.push(copyOf(o, to));
    given.add(to);
    return to;
  });
  return { slots, slotOf, offsetOf, outputs: outSlots, steps: planned, after };
};
