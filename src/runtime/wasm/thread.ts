// What a thread runs, as one function that uses nothing outside itself: its text is the thread's program in Node and in a browser.
import type { Engine, SharedMemory, WasmModule } from './engine.ts';
import type { FromThread, Phase, RunMessage, ThreadStep, ToThread } from './messages.ts';

/**
 * Threads agree through three shared words: the phase in progress with the chunks claimed of it, the chunks done, and whether a step
 * threw. Phases are numbered across runs, so that a thread that comes late finds its run over, and one that comes early waits.
 * Functions are methods of one object, for compilers wrap other named ones in helpers that the text would lack.
 */
export const threadMain = (
  engine: Engine,
  clock: () => number,
  post: (message: FromThread) => void,
  listen: (take: (message: ToThread) => void) => void,
): void => {
  const [PHASE, DONE, FAILED] = [0, 1, 2] as const;
  const CHUNK_BITS = 10;
  const SPIN_MS = 0.02;
  let index = 0;
  let control: Int32Array = new Int32Array(3);
  let memory: SharedMemory | null = null;
  let wide = false;
  const modules = new Map<number, WasmModule>();
  const kernels = new Map<number, (...args: (number | bigint)[]) => void>();
  const programs = new Map<number, readonly Phase[]>();

  const own = {
    take(message: ToThread): void {
      if (message.kind === 'run') own.run(message, programs.get(message.program)!);
      else if (message.kind === 'kernel') modules.set(message.kernel, message.module);
      else if (message.kind === 'program') programs.set(message.program, message.phases);
      else if (message.kind === 'drop') programs.delete(message.program);
      else {
        index = message.index;
        control = message.control;
        memory = message.memory;
        wide = message.wide;
      }
    },

    /** Claims chunks of whatever phase is in progress, until the run is over. */
    run(run: RunMessage, phases: readonly Phase[]): void {
      for (;;) {
        const word = Atomics.load(control, PHASE);
        // The distance to the run's first phase, as a signed number of the bits that the word keeps.
        const at = (((word >>> CHUNK_BITS) - run.base) << CHUNK_BITS) >> CHUNK_BITS;
        if (at >= phases.length) return;
        const chunk = word & ((1 << CHUNK_BITS) - 1);
        if (at < 0 || chunk >= phases[at]!.chunks) own.rest(word);
        else if (Atomics.compareExchange(control, PHASE, word, word + 1) === word) {
          const { step, chunks } = phases[at]!;
          own.groups(
            run,
            step,
            Math.floor((chunk * step.groups) / chunks),
            Math.floor(((chunk + 1) * step.groups) / chunks),
          );
          if (Atomics.add(control, DONE, 1) + 1 === chunks) own.end(run, phases, at, word);
        }
      }
    },

    /** Waits until the word changes: at first awake, for steps are short. */
    rest(word: number): void {
      const until = performance.now() + SPIN_MS;
      while (Atomics.load(control, PHASE) === word)
        if (performance.now() > until) {
          Atomics.wait(control, PHASE, word);
          return;
        }
    },

    /** The thread that ends a phase does the short steps after it, and lets the next phase begin. */
    end(run: RunMessage, phases: readonly Phase[], at: number, word: number): void {
      const { step, tail } = phases[at]!;
      if (run.times) run.times[2 * step.index + 1] = clock();
      for (const short of tail) {
        own.groups(run, short, 0, short.groups);
        if (run.times) run.times[2 * short.index + 1] = clock();
      }
      const last = at === phases.length - 1;
      const failed = last && Atomics.exchange(control, FAILED, 0) !== 0;
      Atomics.store(control, DONE, 0);
      Atomics.store(control, PHASE, ((word >>> CHUNK_BITS) + 1) << CHUNK_BITS);
      Atomics.notify(control, PHASE);
      if (last) post({ kind: 'done', run: run.run, failed });
    },

    /** After a step threw, the others of the run are passed over. */
    groups(run: RunMessage, step: ThreadStep, from: number, to: number): void {
      if (run.times && from === 0) run.times[2 * step.index] = clock();
      if (Atomics.load(control, FAILED) !== 0) return;
      try {
        if (step.kernel < 0) own.copy(run, step, from * step.groupBytes, Math.min(step.bytes, to * step.groupBytes));
        else {
          const args = [from, to, own.address(step.scratch ? run.scratch + index * run.scratchBytes : 0)];
          for (let i = 0; i < step.slots.length; i++)
            args.push(own.address(run.slots[step.slots[i]!]! + step.offsets[i]!));
          for (const s of step.scalars) args.push(run.scalars[s]!);
          own.kernel(step.kernel)(...args);
        }
      } catch (thrown) {
        const message = thrown instanceof Error ? thrown.message : String(thrown);
        if (Atomics.compareExchange(control, FAILED, 0, 1) === 0)
          post({ kind: 'fault', run: run.run, step: step.index, message });
      }
    },

    copy(run: RunMessage, step: ThreadStep, from: number, to: number): void {
      const { buffer } = memory!;
      const [source, target] = [0, 1].map((i) => run.slots[step.slots[i]!]! + step.offsets[i]! + from);
      new Uint8Array(buffer, target!, to - from).set(new Uint8Array(buffer, source!, to - from));
    },

    /** An address as a kernel takes it. */
    address(at: number): number | bigint {
      return wide ? BigInt(at) : at;
    },

    kernel(id: number): (...args: (number | bigint)[]) => void {
      const known = kernels.get(id);
      if (known) return known;
      const { run } = new engine.Instance(modules.get(id)!, { env: { memory: memory! } }).exports;
      if (!run) throw new Error("the kernel exports no function 'run'");
      kernels.set(id, run);
      return run;
    },
  };
  listen((message) => own.take(message));
};
