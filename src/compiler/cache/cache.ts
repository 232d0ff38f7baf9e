// Where compiled programs and kernels are kept between runs.
import type { Program } from '../program.ts';

export interface ProgramCache {
  /** The program of this digest, or null where there is none (or its entry is damaged). */
  readonly get: (digest: string) => Promise<Program | null>;
  /** Keeps a program. Never throws: a cache that cannot be written is reported once and then left alone. */
  readonly put: (program: Program) => Promise<void>;
}

/** Where the binaries of WebAssembly kernels are kept between runs, keyed by their text. */
export interface KernelCache {
  /** The binary, which may be damaged; null where there is none. */
  readonly get: (text: string) => Promise<Uint8Array | null>;
  /** Keeps a binary. Never throws, as above. */
  readonly put: (text: string, binary: Uint8Array) => Promise<void>;
}

export const noKernels: KernelCache = { get: async () => null, put: async () => {} };
export const noCache: ProgramCache = { get: async () => null, put: async () => {} };

/** Whether a parsed entry has the form of a program: entries come from disk. */
export const isProgram = (x: unknown, digest: string): x is Program =>
  typeof x === 'object' &&
  x !== null &&
  'digest' in x &&
  x.digest === digest &&
  ['kernels', 'steps', 'slots', 'inputs', 'scalars', 'outputs'].every((k) => Array.isArray(Reflect.get(x, k)));
