// Device memory: buffers by size class, kept for reuse up to a cap, with live and peak bytes.
import { RunFailure } from '../error.ts';

// WebGPU's flags are globals in a browser only.
export const usage = { mapRead: 1, copySrc: 4, copyDst: 8, uniform: 64, storage: 128, queryResolve: 512 } as const;

/** A device buffer with an identity that caches can compare. */
export interface Allocation {
  readonly id: number;
  readonly gpu: GPUBuffer;
  readonly size: number;
}

/** Allocations above this are checked for out-of-memory before use: the check costs a turn of the event loop. */
const CHECKED_BYTES = 4 * 2 ** 20;

/** 32 classes an octave: at most a thirty-second is wasted, so that a program's own estimate holds. */
export const classOf = (bytes: number, limit: number): number => {
  const step = Math.max(256, 2 ** (Math.floor(Math.log2(Math.max(1, bytes))) - 5));
  return Math.min(Math.ceil(bytes / step) * step, Math.max(bytes, Math.floor(limit / 16) * 16));
};

/** What a pool asks of a device. */
export type Allocator = Pick<GPUDevice, 'createBuffer' | 'pushErrorScope' | 'popErrorScope'>;

export class Pool {
  readonly #device: Allocator;
  readonly #limit: number;
  readonly #cap: number;
  readonly #flags: number;
  readonly #idle = new Map<number, Allocation[]>();
  #idleBytes = 0;
  #nextId = 0;
  liveBytes = 0;
  peakBytes = 0;
  buffers = 0;

  /** `limit`: bytes of the largest buffer; `cap`: bytes of freed buffers to keep. */
  constructor(device: Allocator, limit: number, cap: number, flags: number) {
    this.#device = device;
    this.#limit = limit;
    this.#cap = cap;
    this.#flags = flags;
  }

  /** A pooled buffer or a small new one; null where the device must be asked (see `allocate`). */
  take(bytes: number): Allocation | null {
    const size = classOf(bytes, this.#limit);
    const found = this.#idle.get(size)?.pop();
    if (found) {
      this.#idleBytes -= size;
      return this.#use(found);
    }
    return size > CHECKED_BYTES ? null : this.#use(this.#create(size));
  }

  /** Throws TooLarge or OutOfMemory; `what` says whose buffer it is. */
  async allocate(bytes: number, what: string): Promise<Allocation> {
    if (bytes > this.#limit) throw new RunFailure({ _tag: 'TooLarge', what, bytes, limit: this.#limit });
    const taken = this.take(bytes);
    if (taken) return taken;
    const size = classOf(bytes, this.#limit);
    const first = await this.#tryCreate(size);
    if (first) return this.#use(first);
    this.trim(0);
    const second = await this.#tryCreate(size);
    if (second) return this.#use(second);
    throw new RunFailure({ _tag: 'OutOfMemory', asked: bytes, what });
  }

  /** A buffer at once, and whether the device had no room for it after all. */
  takeNow(bytes: number): { readonly allocation: Allocation; readonly failure: Promise<GPUError | null> | null } {
    const taken = this.take(bytes);
    if (taken) return { allocation: taken, failure: null };
    const { made, failure } = this.#createChecked(classOf(bytes, this.#limit));
    return { allocation: this.#use(made), failure };
  }

  release(a: Allocation): void {
    this.liveBytes -= a.size;
    this.buffers--;
    const same = this.#idle.get(a.size);
    if (same) same.push(a);
    else this.#idle.set(a.size, [a]);
    this.#idleBytes += a.size;
    if (this.#idleBytes > this.#cap) this.trim(this.#cap / 2);
  }

  /** Destroys idle buffers, largest first, until at most `bytes` are kept. */
  trim(bytes: number): void {
    for (const size of [...this.#idle.keys()].sort((a, b) => b - a)) {
      const same = this.#idle.get(size)!;
      while (same.length > 0 && this.#idleBytes > bytes) {
        same.pop()!.gpu.destroy();
        this.#idleBytes -= size;
      }
      if (same.length === 0) this.#idle.delete(size);
    }
  }

  #create(size: number): Allocation {
    return { id: this.#nextId++, gpu: this.#device.createBuffer({ size, usage: this.#flags }), size };
  }

  #createChecked(size: number): { readonly made: Allocation; readonly failure: Promise<GPUError | null> } {
    this.#device.pushErrorScope('out-of-memory');
    const made = this.#create(size);
    return { made, failure: this.#device.popErrorScope() };
  }

  async #tryCreate(size: number): Promise<Allocation | null> {
    const { made, failure } = this.#createChecked(size);
    if (!(await failure)) return made;
    made.gpu.destroy();
    return null;
  }

  #use(a: Allocation): Allocation {
    this.liveBytes += a.size;
    this.peakBytes = Math.max(this.peakBytes, this.liveBytes);
    this.buffers++;
    return a;
  }
}
