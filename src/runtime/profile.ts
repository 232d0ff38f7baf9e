// Times of steps put together with where the steps come from: a table of kernels, and a trace for chrome://tracing.
import type { Origin, Program } from '../compiler/program.ts';
import type { StepTime } from './backend.ts';

/** All runs of steps with one origin. */
export interface KernelTime {
  readonly origin: Origin;
  readonly count: number;
  readonly ms: number;
  /** Of the time of all kernels, 0 to 1. */
  readonly share: number;
  readonly gflops: number;
  /** Gigabytes a second of compulsory traffic. */
  readonly gbs: number;
}

interface Event {
  readonly origin: Origin;
  readonly startNs: number;
  readonly durationNs: number;
  readonly program: string;
  /** Which run of its program it belongs to, from 0. */
  readonly run: number;
}

const keyOf = (o: Origin): string => [o.label, o.schedule, o.site, o.path].join('\n');
const number = (x: number, digits: number): string => (Number.isFinite(x) ? x.toFixed(digits) : '-');

/**
 * Collects runs. Drivers compile shaders when they first run them: the first run of a program counts only where there is no other;
 * the trace has it all the same.
 */
export class Profile {
  readonly #events: Event[] = [];
  readonly #runs = new Map<string, number>();
  #endNs = 0;

  /** Takes in one profiled run, after those before it. */
  add(program: Program, times: readonly StepTime[]): void {
    const offset = this.#endNs;
    const run = this.#runs.get(program.digest) ?? 0;
    this.#runs.set(program.digest, run + 1);
    for (const { step, startNs, durationNs } of times) {
      const { origin } = program.steps[step]!;
      this.#events.push({ origin, startNs: offset + startNs, durationNs, program: program.digest, run });
      this.#endNs = Math.max(this.#endNs, offset + startNs + durationNs);
    }
  }

  #counted(): readonly Event[] {
    return this.#events.filter((e) => e.run > 0 || this.#runs.get(e.program) === 1);
  }

  /** Milliseconds of all kernels that count. */
  get totalMs(): number {
    return this.#counted().reduce((n, e) => n + e.durationNs, 0) / 1e6;
  }

  /** By origin, slowest first. */
  kernels(): readonly KernelTime[] {
    const groups = new Map<string, { origin: Origin; count: number; ns: number }>();
    for (const { origin, durationNs } of this.#counted()) {
      const key = keyOf(origin);
      const group = groups.get(key) ?? { origin, count: 0, ns: 0 };
      group.count++;
      group.ns += durationNs;
      groups.set(key, group);
    }
    const total = this.totalMs * 1e6;
    return [...groups.values()]
      .sort((a, b) => b.ns - a.ns)
      .map(({ origin, count, ns }) => ({
        origin,
        count,
        ms: ns / 1e6,
        share: total === 0 ? 0 : ns / total,
        gflops: (origin.flops * count) / ns,
        gbs: (origin.bytes * count) / ns,
      }));
  }

  /** The `rows` slowest kernels as aligned text. */
  table(rows = 20): string {
    const all = this.kernels();
    const head = ['ms', 'share', 'runs', 'GFLOP/s', 'GB/s', 'kernel'];
    const body = all
      .slice(0, rows)
      .map(({ origin, count, ms, share, gflops, gbs }) => [
        number(ms, 3),
        `${number(share * 100, 1)}%`,
        `${count}`,
        number(gflops, 2),
        number(gbs, 2),
        [origin.label, origin.schedule, origin.path || origin.site].filter((s) => s !== '').join('  '),
      ]);
    const widths = head.map((h, i) => Math.max(h.length, ...body.map((r) => r[i]!.length)));
    const line = (r: readonly string[]): string =>
      r.map((c, i) => (i === head.length - 1 ? c : c.padStart(widths[i]!))).join('  ');
    const rest = all.length > rows ? [`... and ${all.length - rows} more`] : [];
    const once = [...this.#runs.values()].includes(1);
    const note = once ? '; of programs that ran once the driver may have compiled some meanwhile' : '';
    return [
      line(head),
      ...body.map(line),
      ...rest,
      `${number(this.totalMs, 3)} ms in ${all.length} kernels${note}`,
    ].join('\n');
  }

  /** JSON in Chrome's trace format; opens in chrome://tracing and in Perfetto. */
  trace(): string {
    const traceEvents = this.#events.map(({ origin, startNs, durationNs }) => {
      const { label, schedule, why, site, path, flops, bytes } = origin;
      return {
        name: label,
        cat: 'kernel',
        ph: 'X',
        ts: startNs / 1e3,
        dur: durationNs / 1e3,
        pid: 1,
        tid: 1,
        args: { schedule, why, site, path, flops, bytes },
      };
    });
    return JSON.stringify({ displayTimeUnit: 'ns', traceEvents });
  }
}
