// Live and peak bytes of a backend whose memory is the collector's, or that has none.

export class Ledger {
  liveBytes = 0;
  peakBytes = 0;
  buffers = 0;
  readonly #lost = new FinalizationRegistry<number>((bytes) => this.release(bytes));

  take(bytes: number): void {
    this.liveBytes += bytes;
    this.peakBytes = Math.max(this.peakBytes, this.liveBytes);
    this.buffers++;
  }

  release(bytes: number): void {
    this.liveBytes -= bytes;
    this.buffers--;
  }

  /** Releases `bytes` when the collector takes `owner`, unless `forget` comes first. */
  watch(owner: object, bytes: number): void {
    this.#lost.register(owner, bytes, owner);
  }

  forget(owner: object): void {
    this.#lost.unregister(owner);
  }
}
