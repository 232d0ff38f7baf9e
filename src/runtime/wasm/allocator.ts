// Where tensors lie in one growing memory: blocks of whole cache lines, free ones in bins by size, joined with free neighbours.

/** Alignment of blocks in bytes: a cache line, so that threads never share one across tensors. */
const LINE = 64;
/** Blocks of the wanted bin that are looked at before a larger bin, where any block fits. */
const LOOKS = 32;

export interface Block {
  readonly at: number;
  readonly size: number;
}

/** Four bins an octave: sizes of one bin differ by less than a quarter. */
const binOf = (size: number): number => {
  const octave = Math.floor(Math.log2(size));
  return octave * 4 + Math.floor((size / 2 ** octave - 1) * 4);
};

export class Allocator {
  /** Starts of free blocks by bin. */
  readonly #bins: Set<number>[] = [];
  /** Size of the free block that starts here, and start of the one that ends here. */
  readonly #sizes = new Map<number, number>();
  readonly #starts = new Map<number, number>();
  #end: number;

  /** Hands out addresses from `from` on; `extend` adds some. */
  constructor(from: number) {
    this.#end = Math.ceil(from / LINE) * LINE;
  }

  /** Bytes that a block of `bytes` takes. */
  sizeOf(bytes: number): number {
    return Math.max(LINE, Math.ceil(bytes / LINE) * LINE);
  }

  /** A block of at least `bytes`, or null where no free block is that large. */
  take(bytes: number): Block | null {
    const size = this.sizeOf(bytes);
    const at = this.#find(size);
    if (at === null) return null;
    const found = this.#sizes.get(at)!;
    this.#remove(at, found);
    if (found > size) this.#insert(at + size, found - size);
    return { at, size };
  }

  give({ at, size }: Block): void {
    const [before, after] = [this.#starts.get(at), this.#sizes.get(at + size)];
    let [from, to] = [at, at + size];
    if (before !== undefined) {
      this.#remove(before, at - before);
      from = before;
    }
    if (after !== undefined) {
      this.#remove(to, after);
      to += after;
    }
    this.#insert(from, to - from);
  }

  /** Addresses up to `end` exist from now on. */
  extend(end: number): void {
    const size = Math.floor((end - this.#end) / LINE) * LINE;
    if (size <= 0) return;
    const at = this.#end;
    this.#end += size;
    this.give({ at, size });
  }

  /** Bytes that must be added at the end before `take(bytes)` finds a block. */
  lacks(bytes: number): number {
    const start = this.#starts.get(this.#end);
    return this.sizeOf(bytes) - (start === undefined ? 0 : this.#end - start);
  }

  #find(size: number): number | null {
    const own = binOf(size);
    let looks = 0;
    for (const at of this.#bins[own] ?? []) {
      if (this.#sizes.get(at)! >= size) return at;
      if (++looks === LOOKS) break;
    }
    for (let bin = own + 1; bin < this.#bins.length; bin++) for (const at of this.#bins[bin] ?? []) return at;
    // Nothing larger: the rest of the own bin is all there is.
    for (const at of this.#bins[own] ?? []) if (this.#sizes.get(at)! >= size) return at;
    return null;
  }

  #insert(at: number, size: number): void {
    const bin = binOf(size);
    this.#bins[bin] ??= new Set();
    this.#bins[bin].add(at);
    this.#sizes.set(at, size);
    this.#starts.set(at + size, at);
  }

  #remove(at: number, size: number): void {
    this.#bins[binOf(size)]!.delete(at);
    this.#sizes.delete(at);
    this.#starts.delete(at + size);
  }
}
