// A program in words: its kernels in order, why each ends where it does, what each costs, and the memory it takes.
import { memoryOf, type Program, type Step } from './program.ts';

const count = (n: number): string => {
  const units: readonly (readonly [number, string])[] = [
    [1e12, 'T'],
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ];
  const unit = units.find(([size]) => n >= size);
  return unit ? `${(n / unit[0]).toPrecision(3)} ${unit[1]}` : `${n} `;
};
const mib = (n: number): string => (n >= 2 ** 20 ? `${(n / 2 ** 20).toFixed(1)} MiB` : `${(n / 1024).toFixed(1)} KiB`);

const slotsOf = (s: Step): string =>
  s.kind === 'copy'
    ? `${s.from}${s.offset === undefined ? '' : `[${s.offset}]`}->${s.to}`
    : s.buffers.map((b) => b.slot).join(',');

/** One dispatch or copy of a program. */
export interface ExplainedStep {
  readonly step: number;
  readonly label: string;
  readonly why: string;
  readonly schedule: string;
  /** Index of the shader: equal numbers share one. */
  readonly kernel: number | null;
  readonly workgroups: number;
  /** Invocations of a workgroup. */
  readonly workgroupSize: number;
  readonly flops: number;
  readonly bytes: number;
  readonly slots: string;
  readonly path: string;
  readonly site: string;
}

export const explainSteps = (p: Program): readonly ExplainedStep[] =>
  p.steps.map((s, step) => ({
    step,
    label: s.origin.label,
    why: s.origin.why,
    schedule: s.origin.schedule,
    kernel: s.kind === 'dispatch' ? s.kernel : null,
    workgroups: s.kind === 'dispatch' ? p.kernels[s.kernel]!.groups : 0,
    workgroupSize: s.kind === 'dispatch' ? p.kernels[s.kernel]!.workgroupSize : 0,
    flops: s.origin.flops,
    bytes: s.origin.bytes,
    slots: slotsOf(s),
    path: s.origin.path,
    site: s.origin.site,
  }));

/** Totals of a program. */
export const summaryOf = (
  p: Program,
): {
  readonly dispatches: number;
  readonly shaders: number;
  readonly flops: number;
  readonly bytes: number;
  readonly tempBytes: number;
  readonly peakBytes: number;
} => ({
  dispatches: p.steps.filter((s) => s.kind === 'dispatch').length,
  shaders: p.kernels.length,
  flops: p.steps.reduce((n, s) => n + s.origin.flops, 0),
  bytes: p.steps.reduce((n, s) => n + s.origin.bytes, 0),
  tempBytes: memoryOf(p).temp,
  peakBytes: memoryOf(p).peak,
});

/** The program as a text: a line a step, its reason and schedule below it, then slots and totals. */
export const explain = (p: Program): string => {
  const lines = explainSteps(p).flatMap((s) => [
    `${String(s.step).padStart(4)}  ${s.label}${s.path ? `   in ${s.path}` : ''}${s.site ? `   ${s.site}` : ''}`,
    `      ${s.kernel === null ? 'copy' : `shader ${s.kernel}, ${s.workgroups} workgroups of ${s.workgroupSize}`}; ${count(s.flops)}FLOP, ${count(s.bytes)}B; slots ${s.slots}`,
    `      ${s.schedule}; ends here: ${s.why}`,
  ]);
  const t = summaryOf(p);
  const slots = p.slots.map((s, i) => `slot ${i}: ${s.holds} ${mib(s.bytes)}`);
  return [
    ...lines,
    `${t.dispatches} dispatches of ${t.shaders} shaders, ${count(t.flops)}FLOP, ${count(t.bytes)}B moved`,
    `${p.slots.length} slots: ${mib(t.tempBytes)} of its own, ${mib(t.peakBytes)} with inputs and outputs`,
    ...(slots.length <= 40 ? slots : [...slots.slice(0, 40), `... and ${slots.length - 40} more`]),
  ].join('\n');
};
