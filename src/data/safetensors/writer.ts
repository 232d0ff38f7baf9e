// Writes safetensors as the format's own library does: widest dtype first, then by name, the header padded to 8 bytes.
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { writeAtomicFrom } from '../atomic.ts';
import { type DataError, safetensorsError } from '../error.ts';
import { dtypeBytes, elementsOf, type StoredDtype, type TensorData } from './dtype.ts';
import { bf16FromFloats, bf16Overflow, f16FromFloats, f16Overflow } from './half.ts';

export interface WriteOptions {
  /** How F32 tensors are stored; other dtypes are stored as they are. Default F32. */
  readonly floats?: 'F32' | 'F16' | 'BF16';
  readonly metadata?: Readonly<Record<string, string>>;
}

interface Plan {
  readonly name: string;
  readonly dtype: StoredDtype;
  readonly bytes: number;
  readonly tensor: TensorData;
}

const width = (dtype: StoredDtype): number => dtypeBytes.get(dtype) ?? 0;

const overflows: Readonly<Record<string, number>> = { F16: f16Overflow, BF16: bf16Overflow };

/** A finite value must not become infinite by being stored. */
const checkRange = (path: string, { name, dtype, tensor }: Plan): E.Either<DataError, null> => {
  const limit = overflows[dtype];
  if (tensor.dtype !== 'F32' || limit === undefined) return E.right(null);
  const tooLarge = tensor.data.find((x) => Number.isFinite(x) && Math.abs(x) >= limit);
  return tooLarge === undefined
    ? E.right(null)
    : E.left(safetensorsError(path, name, `${tooLarge} is too large for ${dtype}: store it as F32`));
};

const asStored = ({ dtype, tensor }: Plan): TensorData['data'] => {
  if (tensor.dtype !== 'F32') return tensor.data;
  return dtype === 'F16' ? f16FromFloats(tensor.data) : dtype === 'BF16' ? bf16FromFloats(tensor.data) : tensor.data;
};

const planOf = (
  path: string,
  tensors: ReadonlyMap<string, TensorData>,
  floats: StoredDtype,
): E.Either<DataError, readonly Plan[]> => {
  const plans: Plan[] = [];
  for (const [name, tensor] of tensors) {
    const fail = (reason: string) => E.left(safetensorsError(path, name, reason));
    if (name === '__metadata__' || name === '') return fail('this name is not available to a tensor');
    if (elementsOf(tensor.shape) !== tensor.data.length)
      return fail(`shape [${tensor.shape.join(', ')}] does not hold ${tensor.data.length} values`);
    const dtype = tensor.dtype === 'F32' ? floats : tensor.dtype;
    plans.push({ name, dtype, bytes: tensor.data.length * width(dtype), tensor });
  }
  return E.right(plans.sort((a, b) => width(b.dtype) - width(a.dtype) || (a.name < b.name ? -1 : 1)));
};

const headerBytes = (plans: readonly Plan[], metadata: Readonly<Record<string, string>>): Uint8Array => {
  const entries: [string, unknown][] = Object.keys(metadata).length === 0 ? [] : [['__metadata__', metadata]];
  let offset = 0;
  for (const { name, dtype, bytes, tensor } of plans) {
    entries.push([name, { dtype, shape: tensor.shape, data_offsets: [offset, offset + bytes] }]);
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
 * Writes a checkpoint, whole or not at all; tensors are converted one at a time. An error names the tensor: a shape that
 * does not hold its values, or a finite value that the 16-bit type cannot hold.
 */
export const writeSafetensors = (
  path: string,
  tensors: ReadonlyMap<string, TensorData>,
  { floats = 'F32', metadata = {} }: WriteOptions = {},
): TE.TaskEither<DataError, void> =>
  pipe(
    TE.fromEither(planOf(path, tensors, floats)),
    TE.chainFirstEitherK(E.traverseArray((plan) => checkRange(path, plan))),
    TE.chain((plans) =>
      writeAtomicFrom(path, async (write) => {
        await write(headerBytes(plans, metadata));
        for (const plan of plans) {
          const { buffer, byteOffset, byteLength } = asStored(plan);
          await write(new Uint8Array(buffer, byteOffset, byteLength));
        }
      }),
    ),
  );
