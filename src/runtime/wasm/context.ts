// What the parts of one open backend share, and what they do where memory is short.
import { RunFailure } from '../error.ts';
import type { Block } from './allocator.ts';
import type { Kernels } from './kernels.ts';
import type { Memory } from './memory.ts';
import type { ThreadPool } from './pool.ts';

const isFull = (thrown: unknown): boolean => thrown instanceof RunFailure && thrown.error._tag === 'OutOfMemory';

export class WasmContext {
  readonly memory: Memory;
  readonly pool: ThreadPool;
  readonly kernels: Kernels;
  #scratch: Block | null = null;
  /** Bytes of scratch memory that each thread has. */
  scratchBytes = 0;

  constructor(memory: Memory, pool: ThreadPool, kernels: Kernels) {
    this.memory = memory;
    this.pool = pool;
    this.kernels = kernels;
  }

  /** What `take` takes: at once, or, where only runs in flight keep it from being there, after these. */
  room<A>(take: () => A): A | Promise<A> {
    try {
      return take();
    } catch (thrown) {
      if (!isFull(thrown) || !this.memory.roomLater) throw thrown;
      return new Promise<void>((over) => this.pool.whenOver(() => over())).then(take);
    }
  }

  /** Address of the threads' scratch memory. */
  get scratchAt(): number {
    return this.#scratch?.at ?? 0;
  }

  /** From now on every thread has at least `bytes` of scratch memory; throws OutOfMemory. */
  needScratch(bytes: number): void {
    if (bytes <= this.scratchBytes) return;
    // Whole cache lines, so that threads share none.
    const each = Math.ceil(bytes / 64) * 64;
    const made = this.memory.take(each * this.pool.threads, "the kernels' scratch memory");
    if (this.#scratch) this.memory.release(this.#scratch);
    this.#scratch = made;
    this.scratchBytes = each;
  }
}
