// Starts threads: worker_threads in Node, Web Workers in a browser. Neither keeps a process alive but while it is `held`.
import { inNode } from '../in-node.ts';
import { sharesMemory } from './engine.ts';
import type { FromThread, Listener, Thread, ToThread } from './messages.ts';
import { threadMain } from './thread.ts';
import { startHere } from './thread-here.ts';

/** What is used of a browser's Worker. */
interface WebWorker {
  readonly postMessage: (message: ToThread) => void;
  readonly terminate: () => void;
  onmessage: ((event: { readonly data: FromThread }) => void) | null;
  onerror: ((event: { readonly message?: string }) => void) | null;
}
const isWorker = (x: unknown): x is new (url: string) => WebWorker => typeof x === 'function';

/** The text of a thread's program. Clocks of threads agree: wall time. */
export const webSource =
  (): string => `(${threadMain})(WebAssembly, () => (performance.timeOrigin + performance.now()) * 1e6,
  (message) => postMessage(message), (take) => { onmessage = (event) => take(event.data); });`;

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

export const startThread = async (listener: Listener): Promise<Thread> => {
  if (!sharesMemory()) return startHere(listener);
  return inNode() ? (await import('./thread-node.ts')).startInNode(listener) : startInBrowser(listener);
};

/** How many threads the machine runs at once. */
export const machineThreads = async (): Promise<number> => {
  if (inNode()) return (await import('./thread-node.ts')).availableParallelism();
  const navigator: unknown = Reflect.get(globalThis, 'navigator');
  const found: unknown =
    typeof navigator === 'object' && navigator !== null ? Reflect.get(navigator, 'hardwareConcurrency') : 1;
  return typeof found === 'number' ? found : 1;
};
