// Starts threads: worker_threads in Node, Web Workers in a browser. Neither keeps a process alive but while it is `held`.
import { messageOf } from '../attempt.ts';
import { inNode } from '../in-node.ts';
import type { FromThread, ToThread } from './messages.ts';
import { threadMain } from './thread.ts';

export interface Thread {
  readonly post: (message: ToThread) => void;
  /** Keeps the process alive, or no longer. */
  readonly hold: (held: boolean) => void;
  readonly end: () => void;
}

export interface Listener {
  readonly take: (message: FromThread) => void;
  /** The thread is gone, and nobody asked it to end. */
  readonly lost: (reason: string) => void;
}

/** What is used of a browser's Worker. */
interface WebWorker {
  readonly postMessage: (message: ToThread) => void;
  readonly terminate: () => void;
  onmessage: ((event: { readonly data: FromThread }) => void) | null;
  onerror: ((event: { readonly message?: string }) => void) | null;
}
const isWorker = (x: unknown): x is new (url: string) => WebWorker => typeof x === 'function';

/** The text of a thread's program. Clocks of threads agree: one of the machine in Node, wall time in a browser. */
export const nodeSource = (): string => `const { parentPort } = require('node:worker_threads');
(${threadMain})(WebAssembly, () => Number(process.hrtime.bigint()),
  (message) => parentPort.postMessage(message), (take) => parentPort.on('message', take));`;

export const webSource =
  (): string => `(${threadMain})(WebAssembly, () => (performance.timeOrigin + performance.now()) * 1e6,
  (message) => postMessage(message), (take) => { onmessage = (event) => take(event.data); });`;

const startInNode = async (listener: Listener): Promise<Thread> => {
  const { Worker } = await import('node:worker_threads');
  // The process's own options and environment may load hooks of compilers, which would slow every start.
  const worker = new Worker(nodeSource(), { eval: true, execArgv: [], env: {} });
  let ended = false;
  const lost = (reason: string): void => {
    if (!ended) listener.lost(reason);
    ended = true;
  };
  worker.on('message', listener.take);
  worker.on('error', (thrown) => lost(messageOf(thrown)));
  worker.on('exit', (code) => lost(`a thread ended with code ${code}`));
  worker.unref();
  return {
    post: (message) => worker.postMessage(message),
    hold: (held) => (held ? worker.ref() : worker.unref()),
    end: () => {
      ended = true;
      void worker.terminate();
    },
  };
};

const startInBrowser = (listener: Listener): Thread => {
  const Worker: unknown = Reflect.get(globalThis, 'Worker');
  if (!isWorker(Worker)) throw new Error('there are no Web Workers here');
  const url = URL.createObjectURL(new Blob([webSource()], { type: 'text/javascript' }));
  const worker = new Worker(url);
  worker.onmessage = ({ data }) => {
    URL.revokeObjectURL(url);
    listener.take(data);
  };
  worker.onerror = ({ message }) => listener.lost(message ?? 'a thread failed');
  return {
    post: (message) => worker.postMessage(message),
    hold: () => {},
    end: () => {
      URL.revokeObjectURL(url);
      worker.terminate();
    },
  };
};

export const startThread = async (listener: Listener): Promise<Thread> =>
  inNode() ? startInNode(listener) : startInBrowser(listener);

/** How many threads the machine runs at once. */
export const machineThreads = async (): Promise<number> => {
  if (inNode()) return (await import('node:os')).availableParallelism();
  const navigator: unknown = Reflect.get(globalThis, 'navigator');
  const found: unknown =
    typeof navigator === 'object' && navigator !== null ? Reflect.get(navigator, 'hardwareConcurrency') : 1;
  return typeof found === 'number' ? found : 1;
};
