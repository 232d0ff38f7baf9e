// A loaded program on the host: every step runs to its end before `run` returns for the first time.
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { Program, Step } from '../../compiler/program.ts';
import { bytesOf } from '../../dsl/core/dtype.ts';
import { attempt, badInput } from '../attempt.ts';
import type { DeviceBuffer, Executable, StepTime } from '../backend.ts';
import type { RunError } from '../error.ts';
import { checkInputs, ownedSlots } from '../inputs.ts';
import type { Ledger } from '../ledger.ts';
import { scalarSources, scalarValues } from '../scalars.ts';
import type { HostKernel, HostView, Kernels } from './kernels.ts';
import { HostBuffer, HostMemory } from './memory.ts';

interface DispatchPlan {
  readonly step: Extract<Step, { readonly kind: 'dispatch' }>;
  readonly kernel: HostKernel;
  readonly scalars: readonly number[];
}
type StepPlan = DispatchPlan | { readonly step: Extract<Step, { readonly kind: 'copy' }> };

/** Throws ShaderError. */
const planSteps = (program: Program, kernels: Kernels): readonly (StepPlan | null)[] =>
  program.steps.map((step) => {
    if (step.kind === 'copy') return { step };
    const kernel = program.kernels[step.kernel]!;
    if (kernel.groups === 0) return null;
    return { step, kernel: kernels.get(kernel, step.origin.label), scalars: scalarSources(program, step.scalars) };
  });

export class HostExecutable implements Executable {
  readonly program: Program;
  readonly #plan: readonly (StepPlan | null)[];
  readonly #ledger: Ledger;
  readonly #onRun: () => void;
  readonly #slots: (HostMemory | null)[];
  readonly #values: Float64Array;
  readonly #owned: readonly number[];
  #temps: HostMemory[] | null = null;
  #disposed = false;

  constructor(program: Program, kernels: Kernels, ledger: Ledger, onRun: () => void) {
    this.program = program;
    this.#plan = planSteps(program, kernels);
    this.#ledger = ledger;
    this.#onRun = onRun;
    this.#slots = new Array<HostMemory | null>(program.slots.length).fill(null);
    this.#values = new Float64Array(program.scalars.length);
    this.#owned = ownedSlots(program);
  }

  readonly run = (
    inputs: readonly (DeviceBuffer | null)[],
    scalars: Readonly<Record<string, number>>,
    options: { readonly profile?: (times: readonly StepTime[]) => void } = {},
  ): TaskEither<RunError, readonly DeviceBuffer[]> =>
    attempt(async () => {
      if (this.#disposed) throw badInput('run: the executable was disposed');
      const { program } = this;
      scalarValues(program, scalars, this.#values);
      const own = (b: DeviceBuffer): b is HostBuffer => b instanceof HostBuffer && b.ledger === this.#ledger;
      const given = checkInputs(program, inputs, own);
      this.#allocate();
      program.inputs.forEach(({ slot, name }, i) => {
        const buffer = given[i];
        if (buffer && slot >= 0) this.#slots[slot] = buffer.memory(`run: input '${name}'`);
      });
      const times = this.#execute(options.profile !== undefined);
      this.#onRun();
      const outputs = this.#handOver(given);
      options.profile?.(times);
      return outputs;
    });

  /** Temporaries once, the slots of outputs at every run. */
  #allocate(): void {
    if (!this.#temps) {
      const made: HostMemory[] = [];
      this.program.slots.forEach(({ holds, bytes }, i) => {
        if (holds !== 'temp') return;
        const memory = new HostMemory(bytes, 'a temporary of the program');
        this.#slots[i] = memory;
        made.push(memory);
      });
      for (const m of made) this.#ledger.take(m.bytes.byteLength);
      this.#temps = made;
    }
    for (const slot of new Set(this.#owned))
      if (slot >= 0 && this.program.slots[slot]!.holds === 'output')
        this.#slots[slot] = new HostMemory(this.program.slots[slot]!.bytes, 'an output of the program');
  }

  #execute(timed: boolean): readonly StepTime[] {
    const times: StepTime[] = [];
    const first = performance.now();
    this.#plan.forEach((p, step) => {
      if (!p) return;
      const start = timed ? performance.now() : 0;
      if ('kernel' in p) this.#dispatch(p);
      else this.#slots[p.step.to]!.copyFrom(this.#slots[p.step.from]!, p.step.bytes, p.step.offset);
      if (timed) times.push({ step, startNs: (start - first) * 1e6, durationNs: (performance.now() - start) * 1e6 });
    });
    return times;
  }

  #dispatch({ step, kernel, scalars }: DispatchPlan): void {
    const { bindings } = this.program.kernels[step.kernel]!;
    const args: (HostView | number)[] = step.buffers.map(({ slot, offset, size }, i) => {
      const { dtype } = bindings[i]!;
      const whole = this.#slots[slot]!.view(dtype);
      if (offset === undefined && size === undefined) return whole;
      const [from, width] = [(offset ?? 0) / bytesOf[dtype], bytesOf[dtype]];
      return whole.subarray(from, size === undefined ? undefined : from + size / width);
    });
    for (const s of scalars) args.push(this.#values[s]!);
    kernel(args);
  }

  #handOver(given: readonly (HostBuffer | null)[]): readonly HostBuffer[] {
    const { program } = this;
    const results = program.outputs.map(({ slot, shape, dtype }, i) => {
      const held = this.#slots[slot]!;
      if (this.#owned[i]! >= 0) return { memory: held, shape, dtype };
      const memory = new HostMemory(held.bytes.byteLength, 'an output of the program');
      memory.copyFrom(held, held.bytes.byteLength);
      return { memory, shape, dtype };
    });
    program.inputs.forEach(({ donated }, i) => {
      const buffer = given[i];
      if (donated && buffer) this.#ledger.release(buffer.surrender().bytes.byteLength);
    });
    return results.map(({ memory, shape, dtype }) => {
      this.#ledger.take(memory.bytes.byteLength);
      return new HostBuffer(this.#ledger, memory, shape, dtype);
    });
  }

  readonly dispose = (): void => {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const m of this.#temps ?? []) this.#ledger.release(m.bytes.byteLength);
    this.#temps = null;
    this.#slots.fill(null);
  };
}
