// Graph -> Program: the passes in order, each named and dumpable.
import * as E from 'fp-ts/lib/Either.js';

import { describe } from '../dsl/core/error.ts';
import { hashText } from '../dsl/core/hash.ts';
import { copyGraph, isKind, sizeOf, topological, withOwnNodes } from '../dsl/core/node.ts';
import type { Node } from '../dsl/core/types.ts';
import { templates } from '../kernels/index.ts';
import type { KernelTemplate } from '../kernels/template.ts';
import { dumpGraph, dumpRegions } from './dump.ts';
import type { CompileError } from './error.ts';
import type { Caps } from './ir/caps.ts';
import { forgetExprs } from './ir/expr.ts';
import type { KernelCode } from './ir/stmt.ts';
import { RegionEmitters } from './lower/reuse.ts';
import { widenHalf } from './memory/half.ts';
import { bytesOfNode, type Plan, type PlannedInput, type PlannedStep, plan } from './memory/plan.ts';
import { segment } from './memory/segment.ts';
import { type Opened, openWindows } from './memory/windows.ts';
import { prepareConcats } from './partition/concats.ts';
import { delayed } from './partition/late.ts';
import { partition } from './partition/partition.ts';
import { isLeaf, type Region, readsOf } from './partition/region.ts';
import { type Printed, printKernel } from './print.ts';
import type { Bound, Kernel, Origin, Program, Step } from './program.ts';
import { select, templateFinder } from './select/select.ts';
import type { Tuning } from './select/tuning.ts';
import { canonicalise } from './simplify/canonical.ts';
import { simplify } from './simplify/simplify.ts';

/** Part of every cache key: raise it when the same graph gives other kernels. */
export const COMPILER_VERSION = 26;

/** The passes that can be watched, in order. */
export const passNames = ['canonical', 'simplify', 'select', 'partition', 'lower', 'plan', 'print'] as const;
export type PassName = (typeof passNames)[number];

/** The kernel that a call is in: what it stores, and what it loads for that. */
export interface KernelOf {
  readonly origin: Origin;
  readonly outputs: readonly Node[];
  readonly loads: readonly Node[];
}

export interface CompileOptions {
  /** Fuse nodes into kernels; off: one kernel a node, for comparison. */
  readonly fuse?: boolean;
  /** Templates in the order in which they are asked; default: those of the registry. */
  readonly templates?: readonly KernelTemplate[];
  /** Measured schedules; without them, and where there is none for a call, the templates' heuristics. */
  readonly tuning?: Tuning;
  /** Called for every call that a template takes, in order. */
  readonly onCall?: (call: Node, template: KernelTemplate, kernel: KernelOf) => void;
  /** Called after each pass with its name and a text of the graph or kernels as they then are. */
  readonly onPass?: (name: PassName, text: () => string) => void;
}

export interface Compilation {
  /** Leaves in the order in which the caller will bind them; scalars are found by name. */
  readonly inputs: readonly PlannedInput[];
  readonly outputs: readonly Node[];
}

/** Key of a compilation: structure of the graph, bindings, device and options. */
export const digestOf = (c: Compilation, caps: Caps, options: CompileOptions): string =>
  hashText(
    [
      COMPILER_VERSION,
      caps.fingerprint,
      options.fuse ?? true,
      options.tuning?.digest ?? '',
      ...(options.templates ?? []).map((t) => `${t.name}@${t.version}`),
      ...c.inputs.map((i) => `${i.node.digest}${i.donated ? '!' : ''}`),
      '->',
      ...canonicalise(c.outputs).map((o) => o.digest),
    ].join('\n'),
  );

const tooLarge = (nodes: Iterable<Node>, caps: Caps): CompileError | null => {
  for (const n of nodes) {
    const bytes = bytesOfNode(n);
    if (bytes > caps.limits.buffer)
      return { _tag: 'TooLarge', what: `the tensor ${describe(n)}`, bytes, limit: caps.limits.buffer, site: n.site() };
  }
  return null;
};

/** A kernel that binds more than the adapter lets one bind: its tensors are too large to be reached in segments. */
const tooManyBindings = (program: Program, caps: Caps): CompileError | null => {
  const { storageBuffers, binding } = caps.limits;
  for (const s of program.steps)
    if (s.kind === 'dispatch' && s.buffers.length > storageBuffers)
      return {
        _tag: 'Unsupported',
        what: s.origin.label,
        why: `the tensors that it reads and writes take ${s.buffers.length} bindings of ${Math.floor(binding / 2 ** 20)} MiB; this adapter allows ${storageBuffers} a kernel. Use smaller tensors`,
        site: s.origin.site,
      };
  return null;
};

class Kernels {
  readonly list: Kernel[] = [];
  readonly #byText = new Map<string, number>();
  readonly #texts = new Map<KernelCode, Printed>();
  add(code: KernelCode, caps: Caps): number {
    const printed = this.#texts.get(code) ?? printKernel(code, caps);
    this.#texts.set(code, printed);
    const { text, scratch } = printed;
    // JavaScript and WebAssembly say nothing of dtypes: two kernels of one text may read their buffers differently.
    const key = `${code.groups}|${code.buffers.map((b) => `${b.access} ${b.dtype} ${b.length}`)}|${text}`;
    const known = this.#byText.get(key);
    if (known !== undefined) return known;
    this.list.push({
      digest: hashText(key),
      text,
      bindings: code.buffers.map(({ access, dtype, length }) => ({ access, dtype, length })),
      scalars: code.scalars.map((s) => s.scalar),
      workgroupSize: code.workgroupSize,
      groups: code.groups,
      ...(scratch ? { scratch } : {}),
    });
    this.#byText.set(key, this.list.length - 1);
    return this.list.length - 1;
  }
}

/** Where a node is bound: its slot, and its place in it where it is part of a larger buffer or bound in segments. */
const boundTo = (n: Node, range: { readonly offset: number; readonly size: number } | null, p: Plan): Bound => {
  const offset = p.offsetOf.get(n);
  if (offset !== undefined) return { slot: p.slotOf.get(n)!, offset, size: bytesOfNode(n) };
  return { slot: p.slotOf.get(n)!, ...(range ?? {}) };
};

/** The share of one of `n` dispatches in a kernel's work. */
const partOf = (origin: Origin, i: number, n: number): Origin => ({
  ...origin,
  label: `${origin.label}, part ${i + 1} of ${n}`,
  flops: origin.flops / n,
  bytes: origin.bytes / n,
});

/** Steps of one region: its copies, then its dispatch, with large tensors bound in segments. */
const stepsOf = (p: Plan['steps'][number], plan: Plan, kernels: Kernels, caps: Caps): readonly Step[] => {
  const { origin } = p.emitted;
  const cuts = segment(p.code, caps);
  return [
    ...p.before.map(
      (c): Step => ({
        kind: 'copy',
        from: c.from,
        ...(c.offset === 0 ? {} : { offset: c.offset }),
        to: c.to,
        bytes: c.bytes,
        origin: { ...origin, label: `copy ${describe(c.node)}`, flops: 0, bytes: 2 * c.bytes },
      }),
    ),
    ...cuts.map(
      (cut, i): Step => ({
        kind: 'dispatch',
        kernel: kernels.add(cut.code, caps),
        buffers: cut.bindings.map((b): Bound => boundTo(p.bound[b.of]!, b.range, plan)),
        scalars: p.code.scalars.map((s) => s.slot),
        origin: cuts.length === 1 ? origin : partOf(origin, i, cuts.length),
      }),
    ),
  ];
};

const assemble = (c: Compilation, p: Plan, digest: string, caps: Caps): Program => {
  const kernels = new Kernels();
  const steps = p.steps.flatMap((s) => stepsOf(s, p, kernels, caps));
  const copies = p.after.map(
    (x): Step => ({
      kind: 'copy',
      from: x.from,
      ...(x.offset === 0 ? {} : { offset: x.offset }),
      to: x.to,
      bytes: x.bytes,
      origin: {
        label: `copy ${describe(x.node)}`,
        why: 'an output that is also an input or another output',
        site: x.node.site(),
        path: x.node.path,
        schedule: 'copy',
        flops: 0,
        bytes: 2 * x.bytes,
      },
    }),
  );
  const used = new Set(
    [...steps, ...copies].flatMap((s) => (s.kind === 'copy' ? [s.from, s.to] : s.buffers.map((b) => b.slot))),
  );
  for (const o of p.outputs) used.add(o);
  const scalars = topological(c.outputs).flatMap((n) =>
    isKind(n, 'input') && n.op.role === 'scalar' ? [n.op.slot] : [],
  );
  return {
    digest,
    target: caps.target,
    kernels: kernels.list,
    steps: [...steps, ...copies],
    slots: p.slots,
    inputs: c.inputs.map(({ node, donated }) => {
      if (!isKind(node, 'input')) throw new Error('compile: an input that is no input node');
      const slot = p.slotOf.get(node)!;
      return {
        name: node.op.slot,
        shape: node.shape,
        dtype: node.dtype,
        slot: used.has(slot) ? slot : -1,
        donated,
      };
    }),
    scalars,
    outputs: c.outputs.map((o, i) => ({ shape: o.shape, dtype: o.dtype, slot: p.outputs[i]! })),
  };
};

interface Partitioned {
  readonly selected: readonly Node[];
  readonly regions: readonly Region[];
  readonly windows: Opened['windows'];
}
/**
 * Templates, composites or references for every call, windows also of what these slice, then kernels; parts of concatenations that clash
 * get copies, and all is done again.
 */
const selectAndPartition = (
  simple: readonly Node[],
  templateOf: (n: Node) => KernelTemplate | undefined,
  caps: Caps,
  fuse: boolean,
): Partitioned => {
  const opened = openWindows(widenHalf(simple, caps), caps);
  const written = widenHalf(simplify(select(opened.roots, templateOf, caps)), caps);
  const { roots: calls, windows } = openWindows(written, caps, opened.windows);
  const apart = new Set<Node>();
  for (;;) {
    const selected = prepareConcats(calls, caps, apart);
    const { regions, clashes } = partition(selected, templateOf, caps, fuse);
    if (clashes.length === 0)
      return { selected, regions: fuse ? delayed(regions, new Set(selected), windows) : regions, windows };
    for (const c of clashes) apart.add(c);
  }
};

/**
 * Compiles a graph for a device, to the same program whatever the process compiled before. Left: a tensor that no buffer of the adapter
 * holds, or a kernel whose tensors it cannot bind.
 */
export const compileGraph = (
  c: Compilation,
  caps: Caps,
  options: CompileOptions = {},
): E.Either<CompileError, Program> => {
  const digest = digestOf(c, caps, options);
  return withOwnNodes(() => {
    forgetExprs();
    const copies = copyGraph([...c.outputs, ...c.inputs.map(({ node }) => node)]);
    const outputs = copies.slice(0, c.outputs.length);
    const inputs = c.inputs.map(({ donated }, i) => ({ node: copies[outputs.length + i]!, donated }));
    return runPasses({ inputs, outputs }, digest, caps, options);
  });
};

const runPasses = (
  c: Compilation,
  digest: string,
  caps: Caps,
  options: CompileOptions,
): E.Either<CompileError, Program> => {
  const report = options.onPass ?? (() => {});
  const canonical = canonicalise(c.outputs);
  report('canonical', () => dumpGraph(canonical));
  const simple = simplify(canonical);
  report('simplify', () => dumpGraph(simple));
  const takenBy = templateFinder(options.templates ?? templates, caps, options.tuning);
  const templateOf = (n: Node): KernelTemplate | undefined => takenBy(n)?.template;
  const { selected, regions, windows } = selectAndPartition(simple, templateOf, caps, options.fuse ?? true);
  report('select', () => dumpGraph(selected));
  report('partition', () => dumpRegions(regions));
  const live = regions.filter((r) => r.outputs.some((o) => sizeOf(o.shape) > 0));
  const stored = new Set(regions.flatMap((r) => r.outputs));
  const large = tooLarge([...c.inputs.map((i) => i.node), ...stored], caps);
  if (large) return E.left(large);
  const emitters = new RegionEmitters();
  const steps = live.map((region): PlannedStep => {
    const loads = [...readsOf(region, (n) => isLeaf(n) || stored.has(n))].filter((n) => sizeOf(n.shape) > 0);
    const reads = [...loads, ...loads.flatMap((n) => windows.get(n)?.base ?? [])];
    if (region.placement) return { emitted: null, reads, writes: region.outputs, placement: region.placement };
    const taken = region.core ? takenBy(region.core) : undefined;
    const template = taken?.template;
    const schedule = taken && region.core ? (taken.measured ?? taken.template.heuristic(region.core, caps)) : undefined;
    const coarsening = region.core ? undefined : options.tuning?.elementwise?.(sizeOf(region.seed.shape));
    const emitted = emitters.emit(region, stored, template, schedule, caps, coarsening);
    if (taken && region.core)
      options.onCall?.(region.core, taken.template, { origin: emitted.origin, outputs: region.outputs, loads });
    const updates =
      template?.updates !== undefined && region.core
        ? { updates: { operand: region.core.src[template.updates]!, result: region.outputs[0]! } }
        : {};
    return {
      emitted,
      reads,
      writes: region.outputs,
      ...updates,
    };
  });
  report('lower', () =>
    steps
      .map((s) => (s.emitted ? `${s.emitted.origin.label}  ${s.emitted.origin.schedule}` : 'stored by its parts'))
      .join('\n'),
  );
  // Zero-size outputs have no kernel but still a buffer.
  const empty = [...stored].filter((n) => sizeOf(n.shape) === 0);
  const planned = plan(steps, c.inputs, selected, empty, windows);
  report('plan', () => planned.slots.map((s, i) => `slot ${i} ${s.holds} ${s.bytes}`).join('\n'));
  const program = assemble({ ...c, outputs: selected }, planned, digest, caps);
  report('print', () => program.kernels.map((k) => k.text).join('\n'));
  const crowded = tooManyBindings(program, caps);
  return crowded ? E.left(crowded) : E.right(program);
};
