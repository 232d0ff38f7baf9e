// A backend's threads and the runs posted to them: in order, each ended by one message, none waited for by blocking.
import { RunFailure } from '../error.ts';
import { type SharedMemory, sharedBytes, type WasmModule } from './engine.ts';
import type { FromThread, Phase, RunMessage, Thread, ToThread } from './messages.ts';
import { startThread } from './thread-start.ts';

/** Phases posted and not yet run, at most: far fewer than the threads tell apart. */
const PHASES_AHEAD = 1024;

/** Milliseconds between looks at a run that is watched. */
const LOOK = 250;
/** Bits of the threads' word that count chunks; those above count phases. */
const CHUNK_BITS = 10;

/** A program that the threads know. */
export interface ThreadProgram {
  readonly id: number;
  readonly phases: number;
  /** Threads that find something to do in it. */
  readonly threads: number;
}

/** What a run is made of, apart from its program and its place in the order. */
export type RunRequest = Pick<RunMessage, 'slots' | 'scalars' | 'scratch' | 'scratchBytes' | 'times'>;

interface Job {
  readonly program: ThreadProgram;
  readonly request: RunRequest;
  /** The error of a step that threw. */
  readonly blame: (step: number, message: string) => RunFailure;
  /** The error where a thread is lost. */
  readonly lose: (reason: string) => RunFailure;
  readonly settle: (failure: RunFailure | null) => void;
  /** Hears from time to time how many phases are over. */
  readonly watch: ((phases: number) => void) | null;
  /** Ends the watching. */
  unwatch: () => void;
  done: boolean;
  failed: boolean;
  fault: RunFailure | null;
}

export class ThreadPool {
  readonly threads: number;
  readonly #memory: SharedMemory;
  readonly #wide: boolean;
  /** Runs in order, from `#settled` on; those from `#posted` on wait to be posted. */
  readonly #jobs = new Map<number, Job>();
  /** What to do once a run and all before it are over. */
  readonly #later: { readonly run: number; readonly act: (failure: RunFailure | null) => void }[] = [];
  /** What the threads agree by: the phase in progress with its chunks, the chunks done, a failure. */
  readonly #control = new Int32Array(sharedBytes(12));
  #started: Promise<readonly Thread[]> | null = null;
  #all: readonly Thread[] = [];
  #asked = 0;
  #posted = 0;
  #settled = 0;
  #nextPhase = 0;
  #phasesAhead = 0;
  #ids = 0;
  #fault: RunFailure | null = null;

  constructor({ shared, wide }: { readonly shared: SharedMemory; readonly wide: boolean }, threads: number) {
    this.#memory = shared;
    this.#wide = wide;
    this.threads = threads;
  }

  /** Throws DeviceLost where a thread was lost, or the backend disposed. */
  check(): void {
    if (this.#fault) throw this.#fault;
  }

  /** Starts the threads, once; throws DeviceLost. */
  async start(): Promise<void> {
    this.#started ??= this.#start();
    this.#all = await this.#started;
    this.check();
  }

  async #start(): Promise<readonly Thread[]> {
    const control = this.#control;
    return Promise.all(
      Array.from({ length: this.threads }, async (_, index) => {
        const thread = await startThread({
          take: (message) => this.#take(message),
          lost: (reason) => this.lose(reason),
        });
        thread.post({ kind: 'start', index, memory: this.#memory, wide: this.#wide, control });
        return thread;
      }),
    );
  }

  #tell(message: ToThread): void {
    for (const thread of this.#all) thread.post(message);
  }

  addKernel(module: WasmModule): number {
    const kernel = this.#ids++;
    this.#tell({ kind: 'kernel', kernel, module });
    return kernel;
  }

  addProgram(phases: readonly Phase[]): ThreadProgram {
    const id = this.#ids++;
    this.#tell({ kind: 'program', program: id, phases });
    const widest = phases.reduce((n, p) => Math.max(n, p.chunks), 0);
    return { id, phases: phases.length, threads: Math.min(this.threads, widest) };
  }

  dropProgram({ id }: ThreadProgram): void {
    this.whenOver(() => this.#tell({ kind: 'drop', program: id }));
  }

  get busy(): boolean {
    return this.#settled < this.#asked;
  }

  /** Puts a run behind all others, at once; resolves when it is over, with the error of it if there is one. */
  run(
    program: ThreadProgram,
    request: RunRequest,
    errors: Pick<Job, 'blame' | 'lose'>,
    watch: Job['watch'] = null,
  ): Promise<RunFailure | null> {
    return new Promise((settle) => {
      const begun = { unwatch: () => {}, done: false, failed: false, fault: null };
      this.#jobs.set(this.#asked++, { program, request, ...errors, settle, watch, ...begun });
      if (this.#jobs.size === 1) this.#all[0]?.hold(true);
      this.#post();
      this.#settle();
    });
  }

  /** Acts when the runs asked for so far are over, before anything that is asked for later; at once where none is. */
  whenOver(act: (failure: RunFailure | null) => void): void {
    if (this.busy) this.#later.push({ run: this.#asked - 1, act });
    else act(this.#fault);
  }

  #post(): void {
    for (let job = this.#jobs.get(this.#posted); job; job = this.#jobs.get(this.#posted)) {
      const { program, request } = job;
      const { id, phases, threads } = program;
      if (this.#phasesAhead > 0 && this.#phasesAhead + phases > PHASES_AHEAD) return;
      const place = { run: this.#posted++, program: id, base: this.#nextPhase };
      this.#nextPhase += phases;
      this.#phasesAhead += phases;
      if (phases === 0) job.done = true;
      if (job.watch) job.unwatch = this.#look(place.base, phases, job.watch);
      for (const thread of this.#all.slice(0, threads)) thread.post({ kind: 'run', ...place, ...request });
    }
  }

  /** Watches a run that is posted; gives what ends it. */
  #look(base: number, phases: number, watch: (phases: number) => void): () => void {
    const timer = setInterval(() => {
      const now = Atomics.load(this.#control, 0) >>> CHUNK_BITS;
      watch(Math.min(phases, Math.max(0, ((now - base) << CHUNK_BITS) >> CHUNK_BITS)));
    }, LOOK);
    return () => clearInterval(timer);
  }

  #take(message: FromThread): void {
    const job = this.#jobs.get(message.run);
    if (!job) return;
    if (message.kind === 'fault') job.fault = job.blame(message.step, message.message);
    else {
      job.done = true;
      job.failed = message.failed;
      this.#phasesAhead -= job.program.phases;
    }
    this.#post();
    this.#settle();
  }

  /** Messages of different threads may come out of order: runs end in order all the same. */
  #settle(): void {
    for (let job = this.#jobs.get(this.#settled); job; job = this.#jobs.get(this.#settled)) {
      if (!job.done || (job.failed && !job.fault)) return;
      this.#end(job, job.fault);
    }
  }

  #end(job: Job, failure: RunFailure | null): void {
    job.unwatch();
    this.#jobs.delete(this.#settled);
    const run = this.#settled++;
    while (this.#later[0] && this.#later[0].run <= run) this.#later.shift()!.act(this.#fault);
    if (this.#jobs.size === 0) this.#all[0]?.hold(false);
    job.settle(failure);
  }

  /** Ends all threads; runs in flight fail, and so does everything after. */
  lose(reason: string): void {
    if (this.#fault) return;
    this.#fault = new RunFailure({ _tag: 'DeviceLost', reason, kernel: '', site: '' });
    void this.#started?.then((all) => {
      for (const thread of all) thread.end();
    });
    for (let job = this.#jobs.get(this.#settled); job; job = this.#jobs.get(this.#settled))
      this.#end(job, job.lose(reason));
  }
}
