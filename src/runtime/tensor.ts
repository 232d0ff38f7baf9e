// Tensors that have values: on the device, or on the host on their way there.
import type { DType, HostArray, HostArrays } from '../dsl/core/dtype.ts';
import { sizeOf } from '../dsl/core/node.ts';
import { printTensor } from '../dsl/print.ts';
import type { Shape } from '../dsl/shape.ts';
import { orThrow } from './attempt.ts';
import type { DeviceBuffer } from './backend.ts';
import { RunFailure } from './error.ts';
import { unfit } from './scalars.ts';

declare const typed: unique symbol;

/** A value on the device. `S` and `D` are those of the expression that it answers. */
export class DeviceTensor<out S extends Shape = Shape, out D extends DType = DType> {
  declare readonly [typed]: readonly [S, D];
  readonly buffer: DeviceBuffer;
  constructor(buffer: DeviceBuffer) {
    this.buffer = buffer;
  }
  get shape(): readonly number[] {
    return this.buffer.shape;
  }
  get dtype(): DType {
    return this.buffer.dtype;
  }
  /** Copies the value to the host: f16 and bf16 as raw 16-bit patterns, bool as 0 and 1. Throws RunFailure. */
  async read(): Promise<HostArrays[D]> {
    return (await orThrow(this.buffer.read)) as HostArrays[D];
  }
  /** The one number of a tensor with one element. */
  async item(): Promise<number> {
    if (sizeOf(this.shape) !== 1)
      throw new RunFailure({
        _tag: 'BadInput',
        message: `item() of [${this.shape}]: it has ${sizeOf(this.shape)} elements, not one`,
      });
    return (await orThrow(this.buffer.read))[0]!;
  }
  free(): void {
    this.buffer.free();
  }
}

/** A number for a run-time scalar of another type than f32. */
export class ScalarValue {
  readonly value: number;
  readonly dtype: 'f32' | 'i32' | 'u32';
  constructor(value: number, dtype: 'f32' | 'i32' | 'u32') {
    const why = unfit(value, dtype);
    if (why !== null) throw new RunFailure({ _tag: 'BadInput', message: `${dtype}(${value}): ${why}` });
    this.value = value;
    this.dtype = dtype;
  }
}
/** A run-time i32; throws RunFailure where it is none. */
export const i32 = (value: number): ScalarValue => new ScalarValue(value, 'i32');
/** A run-time u32; throws RunFailure where it is none. */
export const u32 = (value: number): ScalarValue => new ScalarValue(value, 'u32');

/** A value on the host: given to a program, it is uploaded for that call. */
export class HostTensor {
  readonly data: HostArray;
  readonly shape: readonly number[];
  readonly dtype: DType;
  constructor(data: HostArray, shape: readonly number[], dtype: DType) {
    if (data.length !== sizeOf(shape))
      throw new RunFailure({
        _tag: 'BadInput',
        message: `${data.length} values for a tensor [${shape}] of ${sizeOf(shape)}`,
      });
    this.data = data;
    this.shape = shape;
    this.dtype = dtype;
  }
  /** `f32[2, 2]` and its values, the middle of long axes left out. */
  toString(): string {
    return printTensor(this.data, this.shape, this.dtype);
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

/** The values of buffers, read one after another; all are freed, also where one cannot be read. Throws RunFailure. */
export const takeHome = async (buffers: readonly DeviceBuffer[]): Promise<readonly HostTensor[]> => {
  const values: HostTensor[] = [];
  try {
    for (const b of buffers) {
      values.push(new HostTensor(await orThrow(b.read), b.shape, b.dtype));
      b.free();
    }
    return values;
  } finally {
    for (const b of buffers) b.free();
  }
};
