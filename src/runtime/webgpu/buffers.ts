// Tensors on the device: upload in chunks, readback through mapped staging buffers, and a collector's net.
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { bufferBytes } from '../../compiler/program.ts';
import { bytesOf, type DType, type HostArray } from '../../dsl/core/dtype.ts';
import { badInput } from '../attempt.ts';
import type { DeviceBuffer } from '../backend.ts';
import { type RunError, RunFailure } from '../error.ts';
import { checkUpload, elementsOf, hostArray, tensorText } from '../host.ts';
import type { Health } from './health.ts';
import { expectWork } from './polling.ts';
import { type Allocation, Pool, usage } from './pool.ts';

/** Bytes written at once: bounds the driver's staging memory. */
const CHUNK = 16 * 2 ** 20;
/** Bytes written since the queue was last known to be empty, before an upload waits for it. */
const UNSETTLED = 4 * CHUNK;

export class Memory {
  readonly device: GPUDevice;
  readonly health: Health;
  readonly pool: Pool;
  readonly #staging: Pool;
  readonly #lost = new FinalizationRegistry<Allocation>((a) => this.pool.release(a));
  #unsettled = 0;

  constructor(device: GPUDevice, health: Health, bufferLimit: number) {
    this.device = device;
    this.health = health;
    this.pool = new Pool(device, bufferLimit, 512 * 2 ** 20, usage.storage | usage.copySrc | usage.copyDst);
    this.#staging = new Pool(device, bufferLimit, 64 * 2 ** 20, usage.mapRead | usage.copyDst);
  }

  /** A tensor that owns `allocation`. */
  wrap(allocation: Allocation, shape: readonly number[], dtype: DType): WebGpuBuffer {
    const made = new WebGpuBuffer(this, allocation, shape, dtype);
    this.#lost.register(made, allocation, made);
    return made;
  }

  /** The tensor gives its memory up without returning it to the pool. */
  forget(buffer: WebGpuBuffer): void {
    this.#lost.unregister(buffer);
  }

  upload(data: HostArray, shape: readonly number[], dtype: DType): TaskEither<RunError, DeviceBuffer> {
    return this.health.guard(async () => {
      const elements = checkUpload(data, shape, dtype);
      const allocation = await this.pool.allocate(bufferBytes(elements, bytesOf[dtype]), tensorText(dtype, shape));
      await this.#write(allocation.gpu, data);
      return this.wrap(allocation, shape, dtype);
    });
  }

  async #write(to: GPUBuffer, data: HostArray): Promise<void> {
    const { queue } = this.device;
    const whole = data.byteLength & ~3;
    for (let at = 0; at < whole; at += CHUNK) {
      const size = Math.min(CHUNK, whole - at);
      queue.writeBuffer(to, at, data.buffer, data.byteOffset + at, size);
      this.#unsettled += size;
      if (this.#unsettled > UNSETTLED) {
        this.#unsettled = 0;
        await queue.onSubmittedWorkDone();
      }
    }
    // Writes are whole words; the last half-precision element of an odd number of them is not.
    if (whole < data.byteLength) queue.writeBuffer(to, whole, Uint16Array.of(data[data.length - 1]!, 0));
  }

  /** The first `size` bytes of a buffer, as they are when this is called: the copy is submitted before anything is awaited. */
  async bytes(from: GPUBuffer, size: number): Promise<ArrayBuffer> {
    const { device } = this;
    const rounded = Math.ceil(size / 4) * 4;
    device.pushErrorScope('validation');
    const { allocation: staging, failure } = this.#staging.takeNow(rounded);
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(from, 0, staging.gpu, 0, rounded);
    device.queue.submit([encoder.finish()]);
    expectWork();
    const invalid = device.popErrorScope();
    const mapped = staging.gpu.mapAsync(usage.mapRead, 0, rounded);
    // Where the allocation failed, mapping fails too, and says less.
    mapped.catch(() => {});
    if (await failure) throw new RunFailure({ _tag: 'OutOfMemory', asked: size, what: 'a readback' });
    const error = await invalid;
    if (error) throw new Error(error.message);
    await mapped;
    const result = staging.gpu.getMappedRange(0, rounded).slice(0, size);
    staging.gpu.unmap();
    this.#staging.release(staging);
    return result;
  }

  dispose(): void {
    this.pool.trim(0);
    this.#staging.trim(0);
  }
}

export class WebGpuBuffer implements DeviceBuffer {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly bytes: number;
  readonly #memory: Memory;
  #allocation: Allocation | null;

  constructor(memory: Memory, allocation: Allocation, shape: readonly number[], dtype: DType) {
    this.shape = shape;
    this.dtype = dtype;
    this.bytes = elementsOf(shape) * bytesOf[dtype];
    this.#memory = memory;
    this.#allocation = allocation;
  }

  get read(): TaskEither<RunError, HostArray> {
    return this.#memory.health.guard(async () => {
      const own = this.allocation('read');
      if (this.bytes === 0) return hostArray(this.dtype, new ArrayBuffer(0));
      return hostArray(this.dtype, await this.#memory.bytes(own.gpu, this.bytes));
    });
  }

  get freed(): boolean {
    return this.#allocation === null;
  }

  /** Throws BadInput where the tensor was freed or donated. */
  allocation(use: string): Allocation {
    if (!this.#allocation)
      throw badInput(`${use}: ${tensorText(this.dtype, this.shape)} was freed, or donated to an earlier run`);
    return this.#allocation;
  }

  belongsTo(memory: Memory): boolean {
    return this.#memory === memory;
  }

  /** Gives the memory up to the caller. */
  surrender(): Allocation {
    const own = this.allocation('donate');
    this.#memory.forget(this);
    this.#allocation = null;
    return own;
  }

  readonly free = (): void => {
    if (this.#allocation) this.#memory.pool.release(this.surrender());
  };
}
