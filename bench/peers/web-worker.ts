// A browser's Worker in Node, as far as jax-js's WebAssembly backend needs it for its threads.
import { resolveObjectURL } from 'node:buffer';
import { Worker as NodeWorker } from 'node:worker_threads';

const prelude = `const { parentPort } = require('node:worker_threads');
globalThis.self = globalThis;
globalThis.postMessage = (m) => parentPort.postMessage(m);
parentPort.on('message', (data) => globalThis.onmessage({ data }));
`;

/** A worker of a program at a blob: URL. */
class WebWorker {
  onmessage: ((event: { readonly data: unknown }) => void) | null = null;
  onerror: ((e: unknown) => void) | null = null;
  readonly #worker: Promise<NodeWorker>;

  constructor(url: string | URL) {
    const blob = resolveObjectURL(String(url));
    if (!blob) throw new Error(`Worker: ${url} is no blob: URL`);
    this.#worker = blob.text().then((source) => {
      // An assignment to a global, which in a module of Node's is none.
      const worker = new NodeWorker(prelude + source.replace(/^\s*onmessage\s*=/m, 'globalThis.onmessage ='), {
        eval: true,
      });
      worker.on('message', (data) => this.onmessage?.({ data }));
      worker.on('error', (e) => this.onerror?.(e));
      return worker;
    });
  }

  postMessage(message: unknown, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker.then((w) => w.postMessage(message, transfer));
  }

  terminate(): void {
    this.#worker.then((w) => w.terminate());
  }
}

Object.assign(globalThis, { Worker: WebWorker });
