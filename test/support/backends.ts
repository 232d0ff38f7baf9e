// One test on every backend that computes: WebGPU, WebAssembly, and gpu.js as the oracle. Each is opened once a process.
import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { Test } from 'uvu';
import type { Backend } from '../../src/runtime/backend.ts';
import { type RunError, renderRunError } from '../../src/runtime/error.ts';
import { openGpuJs } from '../../src/runtime/gpujs/gpujs.ts';
import { openWasm } from '../../src/runtime/wasm/wasm.ts';
import { openWebGpu, type WebGpuBackend } from '../../src/runtime/webgpu/webgpu.ts';
import { skip } from './skip.ts';

let opened: Promise<E.Either<RunError, WebGpuBackend>> | null = null;
let gpujs: Backend | null = null;

/** The process's WebGPU backend; null, after a counted skip, where there is no adapter. Fails on any other error. */
export const webGpu = async (): Promise<WebGpuBackend | null> => {
  opened ??= openWebGpu();
  return usable(await opened);
};

/** A WebGPU backend of one's own, to lose or to dispose; null, after a counted skip, where there is no adapter. */
export const freshWebGpu = async (): Promise<WebGpuBackend | null> => usable(await openWebGpu());

const usable = (result: E.Either<RunError, WebGpuBackend>): WebGpuBackend | null => {
  if (E.isRight(result)) return result.right;
  if (result.left._tag !== 'NoAdapter') throw new Error(renderRunError(result.left));
  skip(`nothing ran on WebGPU: ${renderRunError(result.left)}`);
  return null;
};

let opening: Promise<Backend> | null = null;
/** The process's WebAssembly backend. */
export const wasm = (): Promise<Backend> => {
  opening ??= right(openWasm());
  return opening;
};

/** The process's gpu.js backend. */
export const gpuJs = (): Backend => {
  gpujs ??= openGpuJs();
  return gpujs;
};

/** Registers `name` for WebGPU, which without an adapter is a counted skip, and for WebAssembly: not for the oracle. */
export const forEachDevice = (suite: Test, name: string, body: (backend: Backend) => Promise<void>): void => {
  suite(`${name} (webgpu)`, async () => {
    const backend = await webGpu();
    if (backend) await body(backend);
  });
  suite(`${name} (wasm)`, async () => body(await wasm()));
};

/** Registers `name` once for each backend. */
export const forEachBackend = (suite: Test, name: string, body: (backend: Backend) => Promise<void>): void => {
  forEachDevice(suite, name, body);
  suite(`${name} (gpujs)`, () => body(gpuJs()));
};

/** The value; throws the error's text. */
export const right = async <A>(work: TaskEither<RunError, A>): Promise<A> => {
  const result = await work();
  if (E.isLeft(result)) throw new Error(`${result.left._tag}: ${renderRunError(result.left)}`);
  return result.right;
};

/** The error; throws where there is none. */
export const left = async (work: TaskEither<RunError, unknown>): Promise<RunError> => {
  const result = await work();
  if (E.isRight(result)) throw new Error('it should have failed');
  return result.left;
};
