// Tensors in host memory: the bytes that a device buffer would hold, seen through a view of the binding's dtype.
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { bufferBytes } from '../../compiler/program.ts';
import { bytesOf, type DType, type HostArray } from '../../dsl/core/dtype.ts';
import { attempt, badInput } from '../attempt.ts';
import type { DeviceBuffer } from '../backend.ts';
import { type RunError, RunFailure } from '../error.ts';
import { checkUpload, elementsOf, hostArray, tensorText } from '../host.ts';
import type { Ledger } from '../ledger.ts';
import type { HostView } from './kernels.ts';

export class HostMemory {
  readonly bytes: ArrayBuffer;
  #f32: Float32Array | null = null;
  #u16: Uint16Array | null = null;
  #i32: Int32Array | null = null;
  #u32: Uint32Array | null = null;

  /** Throws OutOfMemory. */
  constructor(size: number, what: string) {
    try {
      this.bytes = new ArrayBuffer(size);
    } catch {
      throw new RunFailure({ _tag: 'OutOfMemory', asked: size, what });
    }
  }

  view(dtype: DType): HostView {
    switch (dtype) {
      case 'f32':
        this.#f32 ??= new Float32Array(this.bytes);
        return this.#f32;
      case 'f16':
      case 'bf16':
        this.#u16 ??= new Uint16Array(this.bytes);
        return this.#u16;
      case 'i32':
        this.#i32 ??= new Int32Array(this.bytes);
        return this.#i32;
      default:
        this.#u32 ??= new Uint32Array(this.bytes);
        return this.#u32;
    }
  }

  copyFrom(other: HostMemory, bytes: number, offset = 0): void {
    new Uint8Array(this.bytes).set(new Uint8Array(other.bytes, offset, bytes));
  }
}

export class HostBuffer implements DeviceBuffer {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly bytes: number;
  readonly ledger: Ledger;
  #memory: HostMemory | null;

  /** Owns `memory`, which the ledger has taken in already. */
  constructor(ledger: Ledger, memory: HostMemory, shape: readonly number[], dtype: DType) {
    this.shape = shape;
    this.dtype = dtype;
    this.bytes = elementsOf(shape) * bytesOf[dtype];
    this.ledger = ledger;
    this.#memory = memory;
    ledger.watch(this, memory.bytes.byteLength);
  }

  get freed(): boolean {
    return this.#memory === null;
  }

  get read(): TaskEither<RunError, HostArray> {
    return attempt(async () => hostArray(this.dtype, this.memory('read').bytes.slice(0, this.bytes)));
  }

  /** Throws BadInput where the tensor was freed or donated. */
  memory(use: string): HostMemory {
    if (!this.#memory)
      throw badInput(`${use}: ${tensorText(this.dtype, this.shape)} was freed, or donated to an earlier run`);
    return this.#memory;
  }

  /** Gives the memory up to the caller. */
  surrender(): HostMemory {
    const own = this.memory('donate');
    this.ledger.forget(this);
    this.#memory = null;
    return own;
  }

  readonly free = (): void => {
    if (this.#memory) this.ledger.release(this.surrender().bytes.byteLength);
  };
}

/** A tensor with a copy of `data`; throws BadInput. */
export const uploadToHost = (ledger: Ledger, data: HostArray, shape: readonly number[], dtype: DType): HostBuffer => {
  const elements = checkUpload(data, shape, dtype);
  const memory = new HostMemory(bufferBytes(elements, bytesOf[dtype]), tensorText(dtype, shape));
  new Uint8Array(memory.bytes).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  ledger.take(memory.bytes.byteLength);
  return new HostBuffer(ledger, memory, shape, dtype);
};
