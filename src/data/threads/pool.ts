// Threads that decode and transform pictures. Which thread takes a picture changes nothing of it.
import { Worker } from 'node:worker_threads';
import type * as E from 'fp-ts/lib/Either.js';
import type { EncodedImage } from '../datasets/dataset.ts';
import { isEncoded } from '../datasets/dataset.ts';
import { type DataError, describeCause } from '../error.ts';
import type { Picture, TransformSpec } from '../images/index.ts';
import type { FromThread, Job, ToThread } from './messages.ts';

type Result = E.Either<DataError, Picture>;

/** A thread ended that nobody had told to: out of memory, or a fault in the program. */
export class ThreadLoss extends Error {
  override readonly name = 'ThreadLoss';
}

export interface DecodePool {
  /** The transformed picture of a sample. What is encoded is handed over, its buffer is empty then. Rejects with a ThreadLoss. */
  readonly run: (sample: number, stored: EncodedImage | Picture) => Promise<Result>;
  /** Ends the threads; pictures in work are finished, the others are dropped. */
  readonly close: () => Promise<void>;
}

interface Waiting {
  readonly job: Job;
  readonly resolve: (result: Result) => void;
  readonly reject: (cause: Error) => void;
}

interface Thread {
  readonly post: (job: ToThread) => void;
  readonly hold: (held: boolean) => void;
  readonly ended: Promise<void>;
  readonly running: Map<number, Waiting>;
}

/** Pictures that a thread has at once: one is decoded by libvips while the other is resampled. */
const depth = 2;

/** Run from source, threads need tsx as this one does, which does not follow into them; the built package is plain JavaScript. */
const startWorker = (transform: TransformSpec): Worker => {
  const options = { workerData: transform, execArgv: [] };
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./thread.js', import.meta.url), options);
  const [tsx, program] = ['tsx/esm/api', './thread.ts'].map((name) => JSON.stringify(import.meta.resolve(name)));
  const source = `import(${tsx}).then(({ register }) => { register(); return import(${program}); })`;
  return new Worker(source, { ...options, eval: true });
};

/** Starts `size` threads that keep the process alive only while they work. */
export const openPool = (size: number, transform: TransformSpec): DecodePool => {
  const queue: Waiting[] = [];
  let lost: ThreadLoss | null = null;
  let closed = false;
  let jobs = 0;

  const drop = (reason: string): void => {
    lost ??= new ThreadLoss(reason);
    for (const { running } of threads) {
      for (const { reject } of running.values()) reject(lost);
      running.clear();
    }
    for (const { reject } of queue.splice(0)) reject(lost);
  };

  const start = (): Thread => {
    const worker = startWorker(transform);
    const running = new Map<number, Waiting>();
    worker.unref();
    worker.on('message', ({ id, result }: FromThread) => {
      running.get(id)?.resolve(result);
      running.delete(id);
      if (running.size === 0 && !closed) worker.unref();
      feed();
    });
    worker.on('error', (cause) => drop(`a decoding thread failed: ${describeCause(cause)}`));
    const ended = new Promise<void>((resolve) => {
      worker.on('exit', (code) => {
        if (!closed || code !== 0) drop(`a decoding thread ended with code ${code}`);
        resolve();
      });
    });
    return {
      post: (job) =>
        worker.postMessage(job, job !== null && isEncoded(job.stored) ? [job.stored.bytes.buffer] : undefined),
      hold: (held) => (held ? worker.ref() : worker.unref()),
      ended,
      running,
    };
  };

  const feed = (): void => {
    while (queue.length > 0 && !closed) {
      const idlest = threads.reduce((a, b) => (b.running.size < a.running.size ? b : a));
      if (idlest.running.size >= depth) return;
      const next = queue.shift()!;
      idlest.running.set(next.job.id, next);
      idlest.hold(true);
      idlest.post(next.job);
    }
  };

  const threads = Array.from({ length: size }, start);
  return {
    run: (sample, stored) =>
      new Promise((resolve, reject) => {
        if (lost !== null || closed) return reject(lost ?? new Error('the threads are closed'));
        queue.push({ job: { id: jobs++, sample, stored }, resolve, reject });
        feed();
      }),
    close: async () => {
      if (!closed) {
        closed = true;
        for (const { reject } of queue.splice(0)) reject(new Error('the threads are closed'));
        for (const { hold, post } of threads) {
          hold(true);
          post(null);
        }
      }
      await Promise.all(threads.map(({ ended }) => ended));
    },
  };
};
