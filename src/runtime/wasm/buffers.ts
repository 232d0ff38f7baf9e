// Tensors in the shared memory: written at once, read when the runs before are over.
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { bufferBytes } from '../../compiler/program.ts';
import { bytesOf, type DType, type HostArray } from '../../dsl/core/dtype.ts';
import { attempt, badInput } from '../attempt.ts';
import type { DeviceBuffer } from '../backend.ts';
import type { RunError } from '../error.ts';
import { checkUpload, elementsOf, hostArray, tensorText } from '../host.ts';
import type { Block } from './allocator.ts';
import type { WasmContext } from './context.ts';

export class WasmBuffer implements DeviceBuffer {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly bytes: number;
  readonly context: WasmContext;
  #block: Block | null;

  /** Owns `block`. */
  constructor(context: WasmContext, block: Block, shape: readonly number[], dtype: DType) {
    this.shape = shape;
    this.dtype = dtype;
    this.bytes = elementsOf(shape) * bytesOf[dtype];
    this.context = context;
    this.#block = block;
    context.memory.watch(this, block);
  }

  get freed(): boolean {
    return this.#block === null;
  }

  get read(): TaskEither<RunError, HostArray> {
    return attempt(async () => {
      const { memory, pool } = this.context;
      pool.check();
      const { at } = this.block('read');
      // Copied in the order of what was asked for: nobody can reuse the block before.
      const bytes = await new Promise<ArrayBuffer>((resolve, reject) => {
        pool.whenOver((failure) => {
          if (failure) return reject(failure);
          const copy = new Uint8Array(this.bytes);
          copy.set(memory.view(at, this.bytes));
          resolve(copy.buffer);
        });
      });
      return hostArray(this.dtype, bytes);
    });
  }

  /** Throws BadInput where the tensor was freed or donated. */
  block(use: string): Block {
    if (!this.#block)
      throw badInput(`${use}: ${tensorText(this.dtype, this.shape)} was freed, or donated to an earlier run`);
    return this.#block;
  }

  /** Gives the memory up to the caller. */
  surrender(): Block {
    const own = this.block('donate');
    this.context.memory.forget(this);
    this.#block = null;
    return own;
  }

  readonly free = (): void => {
    if (this.#block) this.context.memory.release(this.surrender());
  };
}

/** A tensor with a copy of `data`. */
export const uploadToWasm = (
  context: WasmContext,
  data: HostArray,
  shape: readonly number[],
  dtype: DType,
): TaskEither<RunError, WasmBuffer> =>
  attempt(async () => {
    const { memory, pool } = context;
    pool.check();
    const elements = checkUpload(data, shape, dtype);
    const bytes = bufferBytes(elements, bytesOf[dtype]);
    const taken = context.room(() => memory.take(bytes, tensorText(dtype, shape)));
    const block = taken instanceof Promise ? await taken : taken;
    memory.view(block.at, data.byteLength).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return new WasmBuffer(context, block, shape, dtype);
  });
