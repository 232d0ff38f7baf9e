// A loaded program on the threads: binds addresses to its slots, posts one run, hands the outputs over when it is done.
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { Program } from '../../compiler/program.ts';
import { attempt, badInput } from '../attempt.ts';
import type { DeviceBuffer, Executable, RunOptions, StepTime } from '../backend.ts';
import { type RunError, RunFailure } from '../error.ts';
import { tensorText } from '../host.ts';
import { checkInputs, ownedSlots } from '../inputs.ts';
import { sharesOf } from '../progress.ts';
import { scalarValues } from '../scalars.ts';
import { namedKernels, siteOf } from '../site.ts';
import type { Block } from './allocator.ts';
import { WasmBuffer } from './buffers.ts';
import type { WasmContext } from './context.ts';
import { sharedBytes } from './engine.ts';
import { type OutputCopy, planPhases } from './plan.ts';
import type { ThreadProgram } from './pool.ts';

interface Plan {
  readonly threaded: ThreadProgram;
  /** Of each output the position where it lies in the end, among the slots and then the copies. */
  readonly places: readonly number[];
  /** Of each phase its last step. */
  readonly ends: readonly number[];
}

/** Throws ShaderError, OutOfMemory. */
export const planProgram = async (program: Program, context: WasmContext): Promise<Plan> => {
  const labels = new Map<number, string>();
  for (const step of program.steps) if (step.kind === 'dispatch') labels.set(step.kernel, step.origin.label);
  const [ids] = await Promise.all([
    Promise.all(program.kernels.map((k, i) => (k.groups > 0 ? context.kernels.get(k, labels.get(i) ?? k.digest) : -1))),
    context.pool.start(),
  ]);
  context.needScratch(Math.max(0, ...program.kernels.map((k) => k.scratch ?? 0)));
  const copies: OutputCopy[] = [];
  const owned = ownedSlots(program);
  const places = program.outputs.map(({ slot }, i) => {
    if (owned[i]! >= 0) return slot;
    const to = program.slots.length + copies.length;
    copies.push({ from: slot, to, bytes: program.slots[slot]!.bytes });
    return to;
  });
  const phases = planPhases(program, ids, copies, context.pool.threads);
  const ends = phases.map(({ step, tail }) => (tail.at(-1) ?? step).index);
  return { threaded: context.pool.addProgram(phases), places, ends };
};

export class WasmExecutable implements Executable {
  readonly program: Program;
  readonly #plan: Plan;
  readonly #context: WasmContext;
  readonly #onRun: () => void;
  /** Addresses of slots, then of outputs that are copies. */
  readonly #slots: Float64Array;
  readonly #values: Float64Array;
  #temps: readonly Block[] | null = null;
  #disposed = false;

  constructor(program: Program, plan: Plan, context: WasmContext, onRun: () => void) {
    this.program = program;
    this.#plan = plan;
    this.#context = context;
    this.#onRun = onRun;
    this.#slots = new Float64Array(Math.max(program.slots.length, ...plan.places.map((p) => p + 1)));
    this.#values = new Float64Array(program.scalars.length);
  }

  readonly run = (
    inputs: readonly (DeviceBuffer | null)[],
    scalars: Readonly<Record<string, number>>,
    options: RunOptions = {},
  ): TaskEither<RunError, readonly DeviceBuffer[]> =>
    attempt(async () => {
      let given = this.#check(inputs, scalars);
      const taken = this.#context.room(() => this.#take());
      let fresh: readonly (Block | null)[];
      if (taken instanceof Promise) {
        fresh = await taken;
        try {
          given = this.#check(inputs, scalars);
        } catch (thrown) {
          this.#release(fresh);
          throw thrown;
        }
      } else fresh = taken;
      const times = options.profile ? new Float64Array(sharedBytes(16 * this.#steps)) : null;
      const { over, results } = this.#post(given, fresh, times, options.progress);
      const failure = await over;
      if (failure) {
        this.#release(results);
        throw failure;
      }
      if (times) options.profile?.(this.#times(times));
      return this.program.outputs.map(
        ({ shape, dtype }, i) => new WasmBuffer(this.#context, results[i]!, shape, dtype),
      );
    });

  get #steps(): number {
    return this.program.steps.length + this.program.outputs.length;
  }

  #open(): void {
    if (this.#disposed) throw badInput('run: the executable was disposed');
  }

  #check(
    inputs: readonly (DeviceBuffer | null)[],
    scalars: Readonly<Record<string, number>>,
  ): readonly (WasmBuffer | null)[] {
    this.#context.pool.check();
    this.#open();
    scalarValues(this.program, scalars, this.#values);
    return checkInputs(
      this.program,
      inputs,
      (b): b is WasmBuffer => b instanceof WasmBuffer && b.context === this.#context,
    );
  }

  /** Memory of the temporaries, the first time, and of each output that does not take over an input's; all of it or none. */
  #take(): readonly (Block | null)[] {
    this.#open();
    const { memory } = this.#context;
    const { slots, outputs } = this.program;
    const made: Block[] = [];
    const take = (bytes: number, what: string): Block => {
      const block = memory.take(bytes, what);
      made.push(block);
      return block;
    };
    try {
      const temps = this.#temps ? [] : slots.flatMap((s, i) => (s.holds === 'temp' ? [{ i, bytes: s.bytes }] : []));
      const total = temps.reduce((n, t) => n + t.bytes, 0);
      const what = `a temporary of the program (${temps.length} of them, ${(total / 2 ** 20).toFixed(1)} MiB)`;
      const places = temps.map(({ i, bytes }) => ({ i, block: take(bytes, what) }));
      const fresh = outputs.map(({ slot, shape, dtype }, i) =>
        slots[this.#plan.places[i]!]?.holds === 'input'
          ? null
          : take(slots[slot]!.bytes, `the output ${tensorText(dtype, shape)}`),
      );
      for (const { i, block } of places) this.#slots[i] = block.at;
      this.#temps ??= places.map((p) => p.block);
      return fresh;
    } catch (thrown) {
      this.#release(made);
      throw thrown;
    }
  }

  /** Puts the run in the queue. Donated inputs end here; their memory lives on in the outputs that share their slots. */
  #post(
    given: readonly (WasmBuffer | null)[],
    fresh: readonly (Block | null)[],
    times: Float64Array | null,
    progress: RunOptions['progress'],
  ) {
    const { pool, memory, scratchAt: scratch, scratchBytes } = this.#context;
    const { threaded, places } = this.#plan;
    const bound = new Map<number, Block>();
    this.program.inputs.forEach(({ slot, name }, i) => {
      const buffer = given[i];
      if (buffer && slot >= 0) bound.set(slot, buffer.block(`run: input '${name}'`));
    });
    const results = places.map((place, i) => fresh[i] ?? bound.get(place)!);
    places.forEach((place, i) => {
      bound.set(place, results[i]!);
    });
    for (const [slot, block] of bound) this.#slots[slot] = block.at;
    const over = pool.run(
      threaded,
      { slots: this.#slots.slice(), scalars: this.#values.slice(), scratch, scratchBytes, times },
      { blame: (step, message) => this.#blame(step, message), lose: (reason) => this.#lose(reason) },
      progress ? this.#watch(progress) : null,
    );
    this.#onRun();
    const moved = new Set(results);
    this.program.inputs.forEach(({ donated }, i) => {
      const buffer = given[i];
      if (!donated || !buffer) return;
      const block = buffer.surrender();
      if (!moved.has(block)) memory.release(block);
    });
    return { over, results };
  }

  /** Phases that are over as the share of the work; null for a program too short to be watched. */
  #watch(progress: (share: number) => void): ((phases: number) => void) | null {
    const shares = sharesOf(this.program);
    if (shares === null) return null;
    const { ends } = this.#plan;
    return (phases) => progress(phases === 0 ? 0 : (shares[ends[phases - 1]!] ?? 1));
  }

  #blame(step: number, why: string): RunFailure {
    const origin = this.program.steps[step]?.origin;
    const message = `the kernel stopped: ${why}`;
    if (!origin) return new RunFailure({ _tag: 'ValidationError', message, kernel: 'copy of an output', site: '' });
    return new RunFailure({ _tag: 'ValidationError', message, kernel: origin.label, site: siteOf(origin) });
  }

  #lose(reason: string): RunFailure {
    return new RunFailure({ _tag: 'DeviceLost', reason, ...namedKernels(this.program) });
  }

  #times(times: Float64Array): readonly StepTime[] {
    const ran = this.program.steps.flatMap((_, step) => {
      const [start, end] = [times[2 * step]!, times[2 * step + 1]!];
      return end > 0 ? [{ step, start, durationNs: Math.max(0, end - start) }] : [];
    });
    const first = Math.min(...ran.map((t) => t.start));
    return ran.map(({ step, start, durationNs }) => ({ step, startNs: start - first, durationNs }));
  }

  #release(blocks: readonly (Block | null)[]): void {
    for (const block of blocks) if (block) this.#context.memory.release(block);
  }

  readonly dispose = (): void => {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#release(this.#temps ?? []);
    this.#temps = null;
    this.#context.pool.dropProgram(this.#plan.threaded);
  };
}
