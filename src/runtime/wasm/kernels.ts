// Kernels compiled once a backend: binaries from the cache where it has them, posted to the threads as modules.
import { type KernelCache, noKernels } from '../../compiler/cache/cache.ts';
import type { Kernel } from '../../compiler/program.ts';
import { messageOf } from '../attempt.ts';
import { RunFailure } from '../error.ts';
import { inNode } from '../in-node.ts';
import { assemble } from './assemble.ts';
import type { Engine, WasmModule } from './engine.ts';
import type { ThreadPool } from './pool.ts';

/** The user's cache folder in Node, nowhere in a browser. */
export const defaultKernels = async (warn: (message: string) => void): Promise<KernelCache> => {
  if (!inNode()) return noKernels;
  const { cacheFolder, diskKernels } = await import('../../compiler/cache/disk.ts');
  return diskKernels(cacheFolder('kernels'), warn);
};

export class Kernels {
  readonly #engine: Engine;
  readonly #pool: ThreadPool;
  readonly #cache: KernelCache;
  readonly #made = new Map<string, Promise<number>>();
  compiled = 0;

  constructor(engine: Engine, pool: ThreadPool, cache: KernelCache) {
    this.#engine = engine;
    this.#pool = pool;
    this.#cache = cache;
  }

  /** The kernel's number in the threads; throws ShaderError. */
  get({ text }: Kernel, label: string): Promise<number> {
    const known = this.#made.get(text);
    if (known) return known;
    const made = this.#make(text, label);
    this.#made.set(text, made);
    made.catch(() => this.#made.delete(text));
    return made;
  }

  async #make(text: string, label: string): Promise<number> {
    const module = (await this.#cached(text)) ?? (await this.#assembled(text, label));
    await this.#pool.start();
    this.compiled++;
    return this.#pool.addKernel(module);
  }

  /** Null where the cache has no binary, or a damaged one. */
  async #cached(text: string): Promise<WasmModule | null> {
    const binary = await this.#cache.get(text);
    if (!binary) return null;
    try {
      const module = await this.#engine.compile(binary);
      return this.#engine.Module.exports(module).some((e) => e.name === 'run') ? module : null;
    } catch {
      return null;
    }
  }

  async #assembled(text: string, label: string): Promise<WasmModule> {
    const binary = await assemble(text, label);
    const fail = (message: string): RunFailure =>
      new RunFailure({ _tag: 'ShaderError', kernel: label, messages: [message], source: text });
    let module: WasmModule;
    try {
      module = await this.#engine.compile(binary);
    } catch (thrown) {
      throw fail(messageOf(thrown));
    }
    if (!this.#engine.Module.exports(module).some((e) => e.name === 'run')) throw fail("it exports no function 'run'");
    await this.#cache.put(text, binary);
    return module;
  }
}
