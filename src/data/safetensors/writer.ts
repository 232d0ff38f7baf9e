// Writes safetensors as the format's own library does: widest dtype first, then by name, the header padded to 8 bytes; or tensors
// in an order of the caller's, each read when its turn comes.
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { writeAtomicFrom } from '../atomic.ts';
import { type DataError, orThrow, safetensorsError } from '../error.ts';
import { dtypeBytes, elementsOf, type StoredDtype, type TensorData } from './dtype.ts';
import { bf16FromFloats, bf16Overflow, f16FromFloats, f16Overflow } from './half.ts';

export interface WriteOptions {
  /** How F32 tensors are stored; other dtypes are stored as they are. Default F32. */
  readonly floats?: 'F32' | 'F16' | 'BF16';
  readonly metadata?: Readonly<Record<string, string>>;
  /** Sees all that is written, in its order. */
  readonly onBytes?: (bytes: Uint8Array) => void;
}

/** A tensor that is to be written: what the header says of it, and its values when its turn comes. */
export interface PendingTensor {
  readonly name: string;
  readonly dtype: StoredDtype;
  readonly shape: readonly number[];
  readonly read: TE.TaskEither<DataError, TensorData>;
}

interface Plan {
  readonly pending: PendingTensor;
  readonly name: string;
  /** As it is stored. */
  readonly dtype: StoredDtype;
  readonly bytes: number;
}

const width = (dtype: StoredDtype): number => dtypeBytes.get(dtype) ?? 0;

/** The dtype that a tensor is stored in. */
const storedAs = (dtype: StoredDtype, floats: StoredDtype): StoredDtype => (dtype === 'F32' ? floats : dtype);

/** Bytes that a tensor takes in a file. */
export const storedBytes = ({ dtype, shape }: PendingTensor, { floats = 'F32' }: WriteOptions = {}): number =>
  elementsOf(shape) * width(storedAs(dtype, floats));

const overflows: Readonly<Record<string, number>> = { F16: f16Overflow, BF16: bf16Overflow };

/** The first finite value whose magnitude reaches `limit`. By a plain loop: array methods take ten times as long. */
const firstBeyond = (data: Float32Array, limit: number): number | null => {
  for (let i = 0; i < data.length; i++) {
    const x = data[i]!;
    if (Math.abs(x) >= limit && Number.isFinite(x)) return x;
  }
  return null;
};

/** A finite value must not become infinite by being stored. */
const checked = (path: string, { name, dtype, pending }: Plan, tensor: TensorData): E.Either<DataError, TensorData> => {
  const fail = (reason: string) => E.left(safetensorsError(path, name, reason));
  if (tensor.dtype !== pending.dtype) return fail(`${pending.dtype} was announced, its values are ${tensor.dtype}`);
  if (elementsOf(pending.shape) !== tensor.data.length)
    return fail(`shape [${pending.shape.join(', ')}] does not hold ${tensor.data.length} values`);
  const limit = overflows[dtype];
  if (tensor.dtype !== 'F32' || limit === undefined) return E.right(tensor);
  const tooLarge = firstBeyond(tensor.data, limit);
  return tooLarge === null ? E.right(tensor) : fail(`${tooLarge} is too large for ${dtype}: store it as F32`);
};

const asStored = (dtype: StoredDtype, tensor: TensorData): TensorData['data'] => {
  if (tensor.dtype !== 'F32') return tensor.data;
  return dtype === 'F16' ? f16FromFloats(tensor.data) : dtype === 'BF16' ? bf16FromFloats(tensor.data) : tensor.data;
};

const planOf = (
  path: string,
  tensors: readonly PendingTensor[],
  floats: StoredDtype,
): E.Either<DataError, readonly Plan[]> => {
  const plans: Plan[] = [];
  const names = new Set<string>();
  for (const pending of tensors) {
    const { name, dtype, shape } = pending;
    if (name === '__metadata__' || name === '')
      return E.left(safetensorsError(path, name, 'this name is not available to a tensor'));
    if (names.has(name)) return E.left(safetensorsError(path, name, 'two tensors have this name'));
    names.add(name);
    const stored = storedAs(dtype, floats);
    plans.push({ name, dtype: stored, bytes: elementsOf(shape) * width(stored), pending });
  }
  return E.right(plans);
};

const headerBytes = (plans: readonly Plan[], metadata: Readonly<Record<string, string>>): Uint8Array => {
  const entries: [string, unknown][] = Object.keys(metadata).length === 0 ? [] : [['__metadata__', metadata]];
  let offset = 0;
  for (const { name, dtype, bytes, pending } of plans) {
    entries.push([name, { dtype, shape: pending.shape, data_offsets: [offset, offset + bytes] }]);
    offset += bytes;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const padded = Math.ceil(json.length / 8) * 8;
  const out = new Uint8Array(8 + padded).fill(0x20);
  new DataView(out.buffer).setBigUint64(0, BigInt(padded), true);
  out.set(json, 8);
  return out;
};

/**
 * Writes a checkpoint of tensors in their order, whole or not at all; one is in memory at a time. An error names the tensor: values
 * that its shape does not hold, or a finite one that the 16-bit type cannot hold.
 */
export const writeSafetensorsFrom = (
  path: string,
  tensors: readonly PendingTensor[],
  { floats = 'F32', metadata = {}, onBytes = () => {} }: WriteOptions = {},
): TE.TaskEither<DataError, void> =>
  pipe(
    TE.fromEither(planOf(path, tensors, floats)),
    TE.chain((plans) =>
      writeAtomicFrom(path, async (into) => {
        const write = (bytes: Uint8Array): Promise<void> => {
          onBytes(bytes);
          return into(bytes);
        };
        await write(headerBytes(plans, metadata));
        for (const plan of plans) {
          const tensor = orThrow(checked(path, plan, orThrow(await plan.pending.read())));
          const { buffer, byteOffset, byteLength } = asStored(plan.dtype, tensor);
          await write(new Uint8Array(buffer, byteOffset, byteLength));
        }
      }),
    ),
  );

/** `writeSafetensorsFrom` with all tensors in memory, in the order of the format's own library. */
export const writeSafetensors = (
  path: string,
  tensors: ReadonlyMap<string, TensorData>,
  options: WriteOptions = {},
): TE.TaskEither<DataError, void> => {
  const { floats = 'F32' } = options;
  const wide = ({ dtype }: PendingTensor): number => width(storedAs(dtype, floats));
  const pending = [...tensors].map(
    ([name, tensor]): PendingTensor => ({ name, dtype: tensor.dtype, shape: tensor.shape, read: TE.right(tensor) }),
  );
  return writeSafetensorsFrom(
    path,
    pending.sort((a, b) => wide(b) - wide(a) || (a.name < b.name ? -1 : 1)),
    options,
  );
};
