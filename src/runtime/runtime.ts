// A runtime is one backend with its caches: what a user opens, compiles functions on, and closes.
import { noCache, type ProgramCache } from '../compiler/cache/cache.ts';
import type { CompileOptions } from '../compiler/compile.ts';
import type { Program } from '../compiler/program.ts';
import { type Tuning, tuningOf } from '../compiler/select/tuning.ts';
import type { DType, HostArray } from '../dsl/core/dtype.ts';
import { isKind, topological } from '../dsl/core/node.ts';
import { boundData } from '../dsl/ops/inputs.ts';
import { type AnyTensor, isTensor, unwrap } from '../dsl/tensor.ts';
import { flatten } from '../dsl/tree.ts';
import { badInput, orThrow } from './attempt.ts';
import type { Backend, BackendStats, StepTime } from './backend.ts';
import { type ChooseOptions, openBackend } from './choose.ts';
import { inNode } from './in-node.ts';
import { type Compiled, type JitHost, type JitOptions, jit } from './jit.ts';
import { once } from './once.ts';
import { DeviceTensor, type HostTensor, takeHome } from './tensor.ts';

export interface RuntimeOptions extends ChooseOptions {
  /** Where compiled programs are kept; default: the user's cache folder in Node, nowhere in a browser. */
  readonly cache?: ProgramCache;
  readonly compile?: CompileOptions;
  /** Measured schedules; default: those that `dualtoken tune` kept for this adapter, if any. */
  readonly tuning?: Tuning;
  /** For debugging: fails at the first infinity or NaN in a result, naming the operation that made it. Slow. */
  readonly checkFinite?: boolean;
  /** Called after every run with the time of each step: turns profiling on. */
  readonly onRun?: (program: Program, times: readonly StepTime[]) => void;
  /** Hears from time to time what share of a long run's work is done: such a run is handed to a graphics card in parts. */
  readonly onProgress?: (program: Program, share: number) => void;
}

export interface RuntimeStats extends BackendStats {
  /** Functions traced, graphs compiled, and programs taken from the cache. */
  readonly traces: number;
  readonly compiles: number;
  readonly cacheHits: number;
}

/** Results of evaluate: the tree with host values for expressions. */
export type Evaluated<T> = T extends { readonly node: unknown; readonly shape: unknown }
  ? HostTensor
  : T extends object
    ? { readonly [K in keyof T]: Evaluated<T[K]> }
    : T;

export interface Runtime {
  readonly backend: Backend;
  /** `f` as a function of values: traced once a shape signature, then run as one program. */
  readonly compile: <A extends readonly unknown[], B>(f: (...args: A) => B, options?: JitOptions) => Compiled<A, B>;
  /** Computes an expression, or a tree of them, and reads the values back. */
  readonly evaluate: <T>(tree: T) => Promise<Evaluated<T>>;
  readonly upload: (data: HostArray, shape: readonly number[], dtype?: DType) => Promise<DeviceTensor>;
  /** Waits until the device has done all that was submitted. */
  readonly idle: () => Promise<void>;
  readonly stats: () => RuntimeStats;
  readonly close: () => void;
}

const defaultCache = async (warn: (message: string) => void): Promise<ProgramCache> => {
  if (!inNode()) return noCache;
  const { cacheFolder, diskCache } = await import('../compiler/cache/disk.ts');
  return diskCache(cacheFolder(), warn);
};

/** What `dualtoken tune` kept for this adapter; null where it kept nothing. */
export const keptTuning = async (
  backend: Backend,
  fast: boolean,
  warn: (message: string) => void,
): Promise<Tuning | null> => {
  if ((backend.name !== 'webgpu' && backend.name !== 'wasm') || !inNode()) return null;
  const { readTable } = await import('./tune/store.ts');
  const table = await readTable(backend.caps, warn);
  return Object.keys(table.entries).length === 0 ? null : tuningOf(table, fast);
};

/** Throws BadInput where an expression reads a value that nobody gives. */
const checkBound = (roots: readonly AnyTensor[]): void => {
  for (const n of topological(roots.map(unwrap)))
    if (isKind(n, 'input') && boundData(n) === undefined)
      throw badInput(`evaluate: the input '${n.op.slot}' has no value; compile a function of it`);
};

/** Opens a runtime. Throws RunFailure (NoAdapter) where a backend was asked for that is not to be had. */
export const openRuntime = async (options: RuntimeOptions = {}): Promise<Runtime> => {
  const warn = options.warn ?? ((message: string) => console.warn(`dualtoken: ${message}`));
  const backend = await orThrow(openBackend({ ...options, warn }));
  const tuning = options.tuning ?? (await keptTuning(backend, options.fast ?? false, warn));
  const compileOptions: CompileOptions = { ...options.compile, ...(tuning ? { tuning } : {}) };
  const counters = { traces: 0, compiles: 0, cacheHits: 0 };
  const host: JitHost = {
    backend,
    cache: options.cache ?? (await defaultCache(warn)),
    warn,
    counters,
    compileOptions,
    ...(options.onRun ? { onRun: options.onRun } : {}),
    ...(options.onProgress ? { onProgress: options.onProgress } : {}),
    checkFinite: options.checkFinite ?? false,
  };
  return {
    backend,
    compile: (f, jitOptions) => jit(host, f, jitOptions),
    evaluate: async <T>(tree: T) => {
      const { leaves, rebuild } = flatten(tree, isTensor);
      const roots = leaves.map((l) => l.value);
      checkBound(roots);
      return once(
        jit(host, () => roots, { name: 'evaluate' }),
        async (compute) => rebuild<Evaluated<T>>(await takeHome((await compute()).map((t) => t.buffer))),
      );
    },
    upload: async (data, shape, dtype = 'f32') => new DeviceTensor(await orThrow(backend.upload(data, shape, dtype))),
    idle: () => orThrow(backend.idle),
    stats: () => ({ ...backend.stats(), ...counters }),
    close: () => backend.dispose(),
  };
};

let shared: Promise<Runtime> | null = null;
/** The runtime behind the free functions `evaluate` and `compile`, opened when first needed. */
export const defaultRuntime = (): Promise<Runtime> => {
  shared ??= openRuntime();
  return shared;
};

/** Computes an expression, or a tree of them, on the default runtime: `await evaluate(add(x, 1))`. */
export const evaluate = async <T>(tree: T): Promise<Evaluated<T>> => (await defaultRuntime()).evaluate(tree);

/** `f` compiled on the default runtime, opened at the first call. */
export const compile = <A extends readonly unknown[], B>(
  f: (...args: A) => B,
  options?: JitOptions,
): Compiled<A, B> => {
  let made: Promise<Compiled<A, B>> | null = null;
  const ready = (): Promise<Compiled<A, B>> => {
    made ??= defaultRuntime().then((r) => r.compile(f, options));
    return made;
  };
  return Object.assign((async (...args) => (await ready())(...args)) as Compiled<A, B>, {
    program: (async (...args) => (await ready()).program(...args)) as Compiled<A, B>['program'],
    free: async () => (await made)?.free(),
  });
};
