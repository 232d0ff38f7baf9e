// The WebAssembly engine of Node or of a browser: what is used of it, and what it can do.
import { RunFailure } from '../error.ts';

/** A compiled module: posted to threads as it is. */
export type WasmModule = object;

export interface SharedMemory {
  readonly buffer: SharedArrayBuffer;
  /** Throws where the engine has no more. Numbers of pages are bigints where addresses have 64 bits. */
  readonly grow: (pages: number | bigint) => number | bigint;
}

export interface Engine {
  readonly validate: (bytes: Uint8Array) => boolean;
  readonly compile: (bytes: Uint8Array) => Promise<WasmModule>;
  readonly Module: { readonly exports: (module: WasmModule) => readonly { readonly name: string }[] };
  readonly Memory: new (pages: {
    readonly initial: number | bigint;
    readonly maximum: number | bigint;
    readonly shared: true;
    readonly address?: 'i64';
  }) => SharedMemory;
  readonly Instance: new (
    module: WasmModule,
    imports: { readonly env: { readonly memory: SharedMemory } },
  ) => { readonly exports: { readonly run?: (...args: (number | bigint)[]) => void } };
}

const isEngine = (x: unknown): x is Engine =>
  typeof x === 'object' && x !== null && ['validate', 'compile', 'Module', 'Memory', 'Instance'].every((k) => k in x);

/** (func (result v128) (f32x4.relaxed_madd ...)) of zeros. */
const relaxed = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b, 0x03, 0x02, 0x01, 0x00],
  ...[0x0a, 0x13, 0x01, 0x11, 0x00, 0x41, 0x00, 0xfd, 0x11, 0x41, 0x00, 0xfd, 0x11, 0x41, 0x00, 0xfd, 0x11],
  ...[0xfd, 0x85, 0x02, 0x0b],
);

/** Whether the engine multiplies and adds four numbers in one instruction, and so in one rounding. */
export const hasRelaxedSimd = (engine: Engine): boolean => engine.validate(relaxed);

/** (memory i64 1) */
const memory64 = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x05, 0x03, 0x01, 0x04, 0x01);

/** Whether the engine has memory above 4 GiB. */
export const hasMemory64 = (engine: Engine): boolean => engine.validate(memory64);

export const failure = (message: string): RunFailure =>
  new RunFailure({ _tag: 'ValidationError', message, kernel: '', site: '' });

/** Whether threads can share memory: not those of a page that is not cross-origin isolated. */
export const sharesMemory = (global: object = globalThis): boolean =>
  Reflect.get(global, 'crossOriginIsolated') !== false && Reflect.has(global, 'SharedArrayBuffer');

/** Zeros that all threads see. */
export const sharedBytes = (bytes: number): ArrayBufferLike =>
  sharesMemory() ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes);

/** Why there is one thread alone, and what to do. */
export const notIsolated =
  'the page is not cross-origin isolated, so threads cannot share memory. Serve it with the headers ' +
  'Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp';

/** The engine; throws ValidationError where there is none. */
export const findEngine = (global: object = globalThis): Engine => {
  const engine: unknown = Reflect.get(global, 'WebAssembly');
  if (!isEngine(engine)) throw failure('backend wasm: this JavaScript engine has no WebAssembly');
  return engine;
};
