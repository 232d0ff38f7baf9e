// The one memory of a backend: it grows as tensors need it, and reuses what was freed once the runs before are over.
import { RunFailure } from '../error.ts';
import { Ledger } from '../ledger.ts';
import { Allocator, type Block } from './allocator.ts';
import type { Engine, SharedMemory } from './engine.ts';
import type { ThreadPool } from './pool.ts';

export const PAGE = 64 * 1024;
export const MAX_PAGES = 65536;
/** With addresses of 64 bits: what engines allow. */
export const MAX_WIDE_PAGES = 4 * MAX_PAGES;
/** The first page and the last belong to no tensor: reads a little outside of one never trap. */
const RESERVED = PAGE;
export const MIN_PAGES = 32;
/** Bytes of the largest tensor in so many pages: a MiB is left for small ones beside it, and elements are counted in 31 bits. */
export const largestOf = (pages: number): number => Math.min(pages * PAGE - 2 ** 20, 4 * (2 ** 31 - 1));
/** Grown at once, where it is asked for little by little: a quarter of what is there, at most this. */
const MAX_STEP = 64 * 2 ** 20;

export class Memory {
  readonly shared: SharedMemory;
  readonly ledger = new Ledger();
  /** Bytes of the largest tensor. */
  readonly limit: number;
  readonly #allocator = new Allocator(RESERVED);
  readonly #pages: number;
  /** Whether addresses have 64 bits. */
  readonly wide: boolean;
  #pool: ThreadPool | null = null;
  #returning = 0;
  readonly #lost = new FinalizationRegistry<Block>((block) => this.release(block));

  /** Throws OutOfMemory where the engine refuses to reserve so many pages of addresses. */
  constructor(engine: Engine, pages: number) {
    this.#pages = pages;
    this.wide = pages > MAX_PAGES;
    this.limit = largestOf(pages);
    try {
      this.shared = new engine.Memory(
        this.wide
          ? { initial: BigInt(MIN_PAGES), maximum: BigInt(pages), shared: true, address: 'i64' }
          : { initial: MIN_PAGES, maximum: pages, shared: true },
      );
    } catch {
      throw new RunFailure({ _tag: 'OutOfMemory', asked: pages * PAGE, what: "the addresses of WebAssembly's memory" });
    }
    this.#extend();
  }

  /** The threads whose runs may still use what is released. */
  attach(pool: ThreadPool): void {
    this.#pool = pool;
  }

  #extend(): void {
    this.#allocator.extend(this.shared.buffer.byteLength - RESERVED);
  }

  /** Throws TooLarge, or OutOfMemory; `what` says whose memory it is. */
  take(bytes: number, what: string): Block {
    if (bytes > this.limit) throw new RunFailure({ _tag: 'TooLarge', what, bytes, limit: this.limit });
    const block = this.#allocator.take(bytes) ?? (this.#grow(bytes) ? this.#allocator.take(bytes) : null);
    if (!block) throw new RunFailure({ _tag: 'OutOfMemory', asked: bytes, what, limit: this.#pages * PAGE });
    this.ledger.take(block.size);
    return block;
  }

  /** Free for others when the runs asked for so far are over. */
  release(block: Block): void {
    this.ledger.release(block.size);
    this.#returning++;
    const give = (): void => {
      this.#returning--;
      this.#allocator.give(block);
    };
    if (this.#pool) this.#pool.whenOver(give);
    else give();
  }

  /** Whether there is more room once the runs in flight are over. */
  get roomLater(): boolean {
    return this.#returning > 0;
  }

  #grow(bytes: number): boolean {
    const { byteLength } = this.shared.buffer;
    const least = Math.ceil(this.#allocator.lacks(bytes) / PAGE);
    const ample = Math.max(least, Math.ceil(Math.min(byteLength / 4, MAX_STEP) / PAGE));
    const left = this.#pages - byteLength / PAGE;
    for (const pages of [Math.min(ample, left), least]) {
      if (pages < least || pages > left) continue;
      try {
        this.shared.grow(this.wide ? BigInt(pages) : pages);
        this.#extend();
        return true;
      } catch {
        // The engine may still give the least.
      }
    }
    return false;
  }

  /** A view of `bytes` at an address; the memory's own buffer changes as it grows, so views are not kept. */
  view(at: number, bytes: number): Uint8Array {
    return new Uint8Array(this.shared.buffer, at, bytes);
  }

  /** Releases `block` when the collector takes `owner`, unless `forget` comes first. */
  watch(owner: object, block: Block): void {
    this.#lost.register(owner, block, owner);
  }

  forget(owner: object): void {
    this.#lost.unregister(owner);
  }
}
