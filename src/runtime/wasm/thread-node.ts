// Threads of Node. Bundles for a browser leave this out.
import { Worker } from 'node:worker_threads';
import { messageOf } from '../attempt.ts';
import type { Listener, Thread } from './messages.ts';
import { threadMain } from './thread.ts';

export { availableParallelism } from 'node:os';

/** The text of a thread's program. Clocks of threads agree: the machine has one. */
export const nodeSource = (): string => `const { parentPort } = require('node:worker_threads');
(${threadMain})(WebAssembly, () => Number(process.hrtime.bigint()),
  (message) => parentPort.postMessage(message), (take) => parentPort.on('message', take));`;

export const startInNode = (listener: Listener): Thread => {
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
