// The WebAssembly backend: kernels with 128-bit SIMD on threads that share one memory.
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { KernelCache } from '../../compiler/cache/cache.ts';
import type { Caps } from '../../compiler/ir/caps.ts';
import { attempt, badInput } from '../attempt.ts';
import type { Backend } from '../backend.ts';
import type { RunError } from '../error.ts';
import { inNode } from '../in-node.ts';
import { uploadToWasm } from './buffers.ts';
import { WasmContext } from './context.ts';
import { type Engine, failure, findEngine, hasMemory64, hasRelaxedSimd, notIsolated, sharesMemory } from './engine.ts';
import { defaultKernels, Kernels } from './kernels.ts';
import { largestOf, MAX_PAGES, MAX_WIDE_PAGES, Memory, MIN_PAGES, PAGE } from './memory.ts';
import { ThreadPool } from './pool.ts';
import { planProgram, WasmExecutable } from './run.ts';
import { machineThreads } from './thread-start.ts';

export interface WasmOptions {
  /** Default: `DUALTOKEN_THREADS`, else as many as the machine runs at once. Results do not depend on it. */
  readonly threads?: number;
  /** False: multiply and add apart even where the engine does both in one rounding. Default: as the engine can. */
  readonly relaxedSimd?: boolean;
  /**
   * Bytes of all tensors together; default: `DUALTOKEN_MEMORY` in GiB, else 4 GiB. Above 4 GiB, where the engine has memory of 64-bit
   * addresses, whose every access costs a comparison.
   */
  readonly memory?: number;
  /** Where kernels are kept; default: the user's cache folder in Node, nowhere in a browser. */
  readonly cache?: KernelCache;
  readonly warn?: (message: string) => void;
}

/** What the backend says of itself on `engine`. */
export const wasmCaps = (
  engine: Engine,
  threads: number,
  options: { readonly relaxedSimd?: boolean; readonly limit?: number; readonly memory64?: boolean } = {},
): Caps => {
  const { relaxedSimd = hasRelaxedSimd(engine), limit = largestOf(MAX_PAGES), memory64 = false } = options;
  return {
    target: 'wasm',
    templates: true,
    f16: true,
    subgroups: null,
    subgroupMatrices: [],
    relaxedSimd,
    memory64,
    timestamps: true,
    software: true,
    unrolls: false,
    limits: {
      binding: limit,
      buffer: limit,
      storageBuffers: 256,
      workgroupBytes: 65536,
      invocations: 256,
      groupsPerDimension: 2 ** 31 - 1,
      immediateBytes: 4096,
    },
    vendor: '',
    name: `WebAssembly, 128-bit SIMD${relaxedSimd ? ' with fused multiply-add' : ''}, ${threads} thread${threads === 1 ? '' : 's'}`,
    fingerprint: `wasm-${relaxedSimd ? 'relaxed' : 'simd'}${memory64 ? '-64' : ''}`,
  };
};

const threadsOf = async (asked: number | undefined, warn: (message: string) => void): Promise<number> => {
  const set = inNode() ? process.env.DUALTOKEN_THREADS : undefined;
  if (asked === undefined && set === undefined && !sharesMemory()) {
    warn(`backend wasm: one thread, the page's own, which does nothing else while it computes: ${notIsolated}`);
    return 1;
  }
  if (asked === undefined && set === undefined) return Math.min(MAX_THREADS, await machineThreads());
  const threads = asked ?? Number(set);
  if (threads > 1 && threads <= MAX_THREADS && !sharesMemory())
    throw failure(`backend wasm: ${threads} threads were asked for; ${notIsolated}`);
  if (Number.isInteger(threads) && threads >= 1 && threads <= MAX_THREADS) return threads;
  const what = asked === undefined ? `DUALTOKEN_THREADS is '${set}'` : `threads is ${asked}`;
  throw badInput(`backend wasm: ${what}; it must be a whole number from 1 to ${MAX_THREADS}`);
};

/** More threads than this would share the smallest pieces of the largest steps. */
const MAX_THREADS = 256;

const GIB = 2 ** 30;
/** Pages of memory; throws BadInput. */
const pagesOf = (engine: Engine, asked: number | undefined): number => {
  const set = inNode() ? process.env.DUALTOKEN_MEMORY : undefined;
  const bytes = asked ?? (set === undefined ? MAX_PAGES * PAGE : Number(set) * GIB);
  const most = hasMemory64(engine) ? MAX_WIDE_PAGES : MAX_PAGES;
  const pages = Math.floor(bytes / PAGE);
  if (pages >= MIN_PAGES && pages <= most) return pages;
  const what = asked === undefined ? `DUALTOKEN_MEMORY is '${set}' (GiB)` : `memory is ${asked} bytes`;
  const wider = most === MAX_PAGES ? '. Engines with 64-bit memory, as in Node 24, have up to 16 GiB' : '';
  throw badInput(
    `backend wasm: ${what}; it must be from ${MIN_PAGES * PAGE} bytes to ${(most * PAGE) / GIB} GiB here${wider}`,
  );
};

/**
 * Opens the backend. Fails with ValidationError where there is no WebAssembly, or several threads are asked for and cannot share memory;
 * with BadInput where an option is wrong.
 */
export const openWasm = (options: WasmOptions = {}): TaskEither<RunError, Backend> =>
  attempt(async () => {
    const engine = findEngine();
    const { warn = () => {} } = options;
    const threads = await threadsOf(options.threads, warn);
    if (options.relaxedSimd && !hasRelaxedSimd(engine))
      throw badInput('backend wasm: relaxedSimd was asked for, and this engine has none: Node 22 and newer do');
    const memory = new Memory(engine, pagesOf(engine, options.memory));
    const pool = new ThreadPool(memory, threads);
    memory.attach(pool);
    // Threads start while programs are compiled; who needs them waits, and hears of what went wrong.
    pool.start().catch(() => {});
    const cache = options.cache ?? (await defaultKernels(warn));
    const kernels = new Kernels(engine, pool, cache);
    const context = new WasmContext(memory, pool, kernels);
    const { ledger } = memory;
    let runs = 0;
    const relaxed = options.relaxedSimd === undefined ? {} : { relaxedSimd: options.relaxedSimd };
    return {
      name: 'wasm',
      caps: wasmCaps(engine, threads, { ...relaxed, limit: memory.limit, memory64: memory.wide }),
      upload: (data, shape, dtype) => uploadToWasm(context, data, shape, dtype),
      load: (program) =>
        attempt(async () => {
          pool.check();
          if (program.target !== 'wasm')
            throw badInput(`load: a program for target '${program.target}' on the wasm backend`);
          return new WasmExecutable(program, await planProgram(program, context), context, () => {
            runs++;
          });
        }),
      idle: attempt(async () => {
        const failure = await new Promise<Error | null>((over) => pool.whenOver(over));
        if (failure) throw failure;
      }),
      stats: () => ({
        liveBytes: ledger.liveBytes,
        peakBytes: ledger.peakBytes,
        buffers: ledger.buffers,
        kernelsCompiled: kernels.compiled,
        runs,
      }),
      dispose: () => pool.lose('the runtime was disposed'),
    };
  });
