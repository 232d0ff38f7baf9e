// A loaded program: binds inputs, outputs and temporaries to its slots, encodes its steps, submits.
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { Program } from '../../compiler/program.ts';
import { badInput } from '../attempt.ts';
import type { DeviceBuffer, Executable, RunOptions, StepTime } from '../backend.ts';
import { type RunError, RunFailure } from '../error.ts';
import { tensorText } from '../host.ts';
import { checkInputs, ownedSlots } from '../inputs.ts';
import { sharesOf } from '../progress.ts';
import { scalarValues } from '../scalars.ts';
import { siteOf } from '../site.ts';
import { WebGpuBuffer } from './buffers.ts';
import type { WebGpuContext } from './context.ts';
import { type Bindings, encodeStep, encodeSteps, placeScalars } from './encode.ts';
import type { Plan } from './plan.ts';
import { expectWork } from './polling.ts';
import type { Allocation } from './pool.ts';
import { runTimed } from './timestamps.ts';

/** Runs submitted and not yet done, at most twice this: bounds what queues up in the driver. */
const RUNS_AHEAD = 8;
/** Submissions of a run that is watched. */
const PARTS = 48;

export class WebGpuExecutable implements Executable {
  readonly program: Program;
  readonly #context: WebGpuContext;
  readonly #plan: Plan;
  readonly #onRun: () => void;
  readonly #slots: (Allocation | null)[];
  readonly #values: Float64Array;
  /** Slot of output i where it takes the slot's buffer over, or -1 where it needs a copy of it. */
  readonly #owned: readonly number[];
  #temps: Allocation[] | null = null;
  #checked = false;
  #disposed = false;
  #submitted = 0;
  #window: Promise<undefined> | null = null;

  constructor(program: Program, plan: Plan, context: WebGpuContext, onRun: () => void) {
    this.program = program;
    this.#plan = plan;
    this.#context = context;
    this.#onRun = onRun;
    this.#slots = new Array<Allocation | null>(program.slots.length).fill(null);
    this.#values = new Float64Array(program.scalars.length);
    this.#owned = ownedSlots(program);
  }

  readonly run = (
    inputs: readonly (DeviceBuffer | null)[],
    scalars: Readonly<Record<string, number>>,
    options: RunOptions = {},
  ): TaskEither<RunError, readonly DeviceBuffer[]> =>
    this.#context.health.guard(async () => {
      if (this.#disposed) throw badInput('run: the executable was disposed');
      // Nothing is awaited where the pool has all buffers, so that inputs are used as they are now.
      const fresh = this.#takeBuffers() ?? (await this.#allocateBuffers());
      const given = this.#bind(inputs, scalars, fresh);
      const done = options.profile ? this.#profile(options.profile) : this.#submit(options.progress);
      const outputs = this.#handOver(given, fresh);
      if (done) {
        try {
          await done;
        } catch (thrown) {
          for (const o of outputs) o.free();
          throw thrown;
        }
      }
      return outputs;
    });

  /** Bytes that output i needs of its own, or 0 where it takes over a donated input. */
  #freshBytes(i: number): number {
    const slot = this.program.outputs[i]!.slot;
    return this.#owned[i]! >= 0 && this.program.slots[slot]!.holds === 'input' ? 0 : this.program.slots[slot]!.bytes;
  }

  /** A buffer for each output that needs one; null where the device must be asked first. */
  #takeBuffers(): (Allocation | null)[] | null {
    if (!this.#temps) return null;
    const { pool } = this.#context.memory;
    const fresh: (Allocation | null)[] = [];
    for (let i = 0; i < this.program.outputs.length; i++) {
      const bytes = this.#freshBytes(i);
      const made = bytes === 0 ? null : pool.take(bytes);
      if (bytes > 0 && !made) {
        releaseAll(pool, fresh);
        return null;
      }
      fresh.push(made);
    }
    return fresh;
  }

  async #allocateBuffers(): Promise<(Allocation | null)[]> {
    const { program } = this;
    const { pool } = this.#context.memory;
    const all = async (wanted: readonly { readonly bytes: number; readonly what: string }[]) => {
      const made: (Allocation | null)[] = [];
      try {
        for (const { bytes, what } of wanted) made.push(bytes === 0 ? null : await pool.allocate(bytes, what));
        return made;
      } catch (thrown) {
        releaseAll(pool, made);
        throw thrown;
      }
    };
    if (!this.#temps) {
      const temps = program.slots.flatMap((s, i) => (s.holds === 'temp' ? [{ ...s, i }] : []));
      const total = temps.reduce((n, s) => n + s.bytes, 0);
      const what = `a temporary of the program (${temps.length} of them, ${(total / 2 ** 20).toFixed(1)} MiB)`;
      const made = await all(temps.map(({ bytes }) => ({ bytes, what })));
      // Another run may have made them meanwhile, or the executable may be gone.
      if (this.#temps || this.#disposed) releaseAll(pool, made);
      else {
        this.#temps = made.filter((a) => a !== null);
        temps.forEach(({ i }, k) => {
          this.#slots[i] = made[k]!;
        });
      }
      if (this.#disposed) throw badInput('run: the executable was disposed');
    }
    return all(
      program.outputs.map((o, i) => ({
        bytes: this.#freshBytes(i),
        what: `the output ${tensorText(o.dtype, o.shape)}`,
      })),
    );
  }

  /** Fills the slots; throws BadInput, and then gives `fresh` back. */
  #bind(
    inputs: readonly (DeviceBuffer | null)[],
    scalars: Readonly<Record<string, number>>,
    fresh: readonly (Allocation | null)[],
  ): readonly (WebGpuBuffer | null)[] {
    const { program } = this;
    const { memory } = this.#context;
    try {
      scalarValues(program, scalars, this.#values);
      const given = checkInputs(
        program,
        inputs,
        (b): b is WebGpuBuffer => b instanceof WebGpuBuffer && b.belongsTo(memory),
      );
      program.inputs.forEach(({ slot, name }, i) => {
        const buffer = given[i];
        if (buffer && slot >= 0) this.#slots[slot] = buffer.allocation(`run: input '${name}'`);
      });
      program.outputs.forEach(({ slot }, i) => {
        if (this.#owned[i]! >= 0 && fresh[i]) this.#slots[slot] = fresh[i];
      });
      return given;
    } catch (thrown) {
      releaseAll(memory.pool, fresh);
      throw thrown;
    }
  }

  #bindings(slots: readonly (Allocation | null)[]): Bindings {
    return { device: this.#context.device, slots, uniforms: this.#plan.uniforms?.gpu ?? null };
  }

  #writeScalars(): void {
    placeScalars(this.#plan, this.#values);
    const { uniforms } = this.#plan;
    if (uniforms) this.#context.device.queue.writeBuffer(uniforms.gpu, 0, uniforms.words.words);
  }

  /** The steps, or, where a long run is watched, their parts, each with the share of the work that is done with it. */
  #parts(watched: boolean): readonly { readonly steps: Plan['steps']; readonly share: number }[] {
    const { steps } = this.#plan;
    const shares = watched ? sharesOf(this.program) : null;
    if (shares === null) return [{ steps, share: 1 }];
    const ends = [...shares.keys()].filter(
      (i) => Math.floor(shares[i]! * PARTS) > Math.floor((shares[i - 1] ?? 0) * PARTS),
    );
    return [...new Set([...ends, steps.length - 1])].map((end, k) => ({
      steps: steps.slice((ends[k - 1] ?? -1) + 1, end + 1),
      share: shares[end]!,
    }));
  }

  /** Returns what the caller has to wait for, if anything. */
  #submit(progress: RunOptions['progress']): Promise<unknown> | null {
    const { device, health } = this.#context;
    this.#writeScalars();
    health.submitted(this.program);
    const first = !this.#checked;
    if (first) device.pushErrorScope('validation');
    for (const { steps, share } of this.#parts(progress !== undefined)) {
      const encoder = device.createCommandEncoder();
      encodeSteps(encoder, steps, this.#bindings(this.#slots));
      device.queue.submit([encoder.finish()]);
      // A lost device is reported by whoever waits for the results.
      if (progress && share < 1)
        device.queue.onSubmittedWorkDone().then(
          () => progress(share),
          () => {},
        );
    }
    expectWork();
    this.#onRun();
    if (first) {
      this.#checked = true;
      const slots = [...this.#slots];
      return device.popErrorScope().then((error) => (error ? this.#blame(error, slots) : undefined));
    }
    if (++this.#submitted % RUNS_AHEAD !== 0) return null;
    const before = this.#window;
    this.#window = device.queue.onSubmittedWorkDone();
    return before;
  }

  async #profile(report: (times: readonly StepTime[]) => void): Promise<void> {
    this.#writeScalars();
    const { device, health } = this.#context;
    health.submitted(this.program);
    device.pushErrorScope('validation');
    const slots = [...this.#slots];
    const times = runTimed(this.#context, this.#plan, this.#bindings(slots));
    this.#onRun();
    times.catch(() => {});
    const error = await device.popErrorScope();
    if (error) await this.#blame(error, slots);
    report(await times);
  }

  /** Finds the step that the device refuses by encoding each alone, and throws its error. */
  async #blame(error: GPUError, slots: readonly (Allocation | null)[]): Promise<never> {
    const { device } = this.#context;
    this.#checked = false;
    for (const p of this.#plan.steps) {
      device.pushErrorScope('validation');
      const encoder = device.createCommandEncoder();
      encodeStep(encoder, p, this.#bindings(slots));
      encoder.finish();
      const found = await device.popErrorScope();
      if (!found) continue;
      const { origin } = p.step;
      const where = { kernel: origin.label, site: siteOf(origin) };
      throw new RunFailure({ _tag: 'ValidationError', message: found.message, ...where });
    }
    throw new RunFailure({ _tag: 'ValidationError', message: error.message, kernel: '', site: '' });
  }

  /** Donated inputs end here; their buffers live on in the outputs that share their slots. */
  #handOver(given: readonly (WebGpuBuffer | null)[], fresh: readonly (Allocation | null)[]): WebGpuBuffer[] {
    const { memory, device } = this.#context;
    const { program } = this;
    const copies = this.#owned.includes(-1) ? device.createCommandEncoder() : null;
    const outputs = program.outputs.map(({ slot, shape, dtype }, i) => {
      const held = this.#slots[slot]!;
      const own = fresh[i] ?? held;
      if (copies && this.#owned[i] === -1)
        copies.copyBufferToBuffer(held.gpu, 0, own.gpu, 0, program.slots[slot]!.bytes);
      return { own, shape, dtype };
    });
    if (copies) device.queue.submit([copies.finish()]);
    const moved = new Set(outputs.map((o) => o.own));
    program.inputs.forEach(({ donated }, i) => {
      const buffer = given[i];
      if (!donated || !buffer) return;
      const allocation = buffer.surrender();
      if (!moved.has(allocation)) memory.pool.release(allocation);
    });
    return outputs.map(({ own, shape, dtype }) => memory.wrap(own, shape, dtype));
  }

  readonly dispose = (): void => {
    if (this.#disposed) return;
    this.#disposed = true;
    releaseAll(this.#context.memory.pool, this.#temps ?? []);
    this.#temps = null;
    this.#plan.uniforms?.gpu.destroy();
  };
}

const releaseAll = (pool: WebGpuContext['memory']['pool'], all: readonly (Allocation | null)[]): void => {
  for (const a of all) if (a) pool.release(a);
};
