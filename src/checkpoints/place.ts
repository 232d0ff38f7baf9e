// Stored parameters on a device, tensor by tensor and in the precision in which they are stored: a large model lies there once, and nowhere else.
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type DataError, safetensorsError } from '../data/error.ts';
import { type Safetensors, type TensorData, withSafetensors } from '../data/safetensors/index.ts';
import * as B from '../dsl/core/build.ts';
import type { DType } from '../dsl/core/dtype.ts';
import { sizeOf } from '../dsl/core/node.ts';
import { isParamSpec, type ParamsOf } from '../dsl/param.ts';
import type { Shape } from '../dsl/shape.ts';
import { type AnyTensor, isTensor, unwrap, wrap } from '../dsl/tensor.ts';
import { flatten, mapTree } from '../dsl/tree.ts';
import { type MatchBy, type Matched, matchParams, renderMismatches } from '../models/load.ts';
import { isFiniteArray } from '../runtime/finite.ts';
import type { Values } from '../runtime/jit.ts';
import { type Own, owningRight } from '../runtime/owned.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { DeviceTensor } from '../runtime/tensor.ts';

/** Told of bytes that are on the device, of how many there will be. */
export type OnBytes = (done: number, of: number) => void;

const dtypes = { F32: 'f32', F16: 'f16', BF16: 'bf16' } as const;

const placeTensor = (
  runtime: Pick<Runtime, 'upload'>,
  path: string,
  name: string,
  { dtype, data }: TensorData,
  shape: readonly number[],
  own: Own,
): TE.TaskEither<DataError, DeviceTensor> => {
  if (dtype !== 'F32' && dtype !== 'F16' && dtype !== 'BF16')
    return TE.left(safetensorsError(path, name, `is ${dtype}; F32, F16 or BF16 was expected`));
  if (!isFiniteArray(data, dtypes[dtype]))
    return TE.left(
      safetensorsError(
        path,
        name,
        'holds values that are infinite or no numbers: its training diverged, or the file is damaged',
      ),
    );
  return TE.fromTask(() => own(runtime.upload(data.subarray(0, sizeOf(shape)), shape, dtypes[dtype])));
};

const placeMatched = (
  runtime: Pick<Runtime, 'upload'>,
  file: Safetensors,
  matched: readonly Matched[],
  onBytes: OnBytes,
): TE.TaskEither<DataError, ReadonlyMap<string, DeviceTensor>> => {
  const bytesOf = (name: string): number => {
    const { begin, end } = file.tensors.get(name)!;
    return end - begin;
  };
  const of = matched.reduce((sum, { name }) => sum + bytesOf(name), 0);
  let done = 0;
  return owningRight((own) =>
    pipe(
      matched,
      TE.traverseSeqArray(({ path, name, spec: { shape } }) =>
        pipe(
          file.values(name),
          TE.chain((values) => placeTensor(runtime, file.path, name, values, shape, own)),
          TE.map((on) => {
            done += bytesOf(name);
            onBytes(done, of);
            return [path, on] as const;
          }),
        ),
      ),
      TE.map((entries) => new Map(entries)),
    ),
  );
};

/**
 * The parameters of `spec` by path from a .safetensors file, an index of shards or a folder, on the device. Left: all that is missing,
 * misshapen, not floats or extra at once; or the first value that cannot be read. Rejects with RunFailure where there is no room. Either
 * way nothing of it stays on the device.
 */
export const placeStored = (
  runtime: Pick<Runtime, 'upload'>,
  path: string,
  spec: unknown,
  options?: MatchBy,
  onBytes: OnBytes = () => {},
): TE.TaskEither<DataError, ReadonlyMap<string, DeviceTensor>> =>
  withSafetensors(path)((file) =>
    pipe(
      matchParams(spec, file.tensors, options),
      E.mapLeft((faults) => safetensorsError(path, null, renderMismatches(faults))),
      TE.fromEither,
      TE.chain((matched) => placeMatched(runtime, file, matched, onBytes)),
    ),
  );

/** Parameters on the device by path, in the precision they are stored in. */
export type Placed = ReadonlyMap<string, DeviceTensor>;

/** Gives parameters up that nothing runs with any more. */
export const freePlaced = (placed: Placed): void => {
  for (const tensor of placed.values()) tensor.free();
};

/** Those of `spec` as the arguments of a compiled function. */
export const placedParams = <P>(spec: P, placed: Placed): Values<ParamsOf<P>> => {
  const flat = flatten(spec, isParamSpec);
  // Rebuilt by the spec's own form.
  return flat.rebuild<Values<ParamsOf<P>>>(flat.leaves.map(({ path }) => placed.get(path)!));
};

/**
 * Parameters as expressions compute with them, f32 whatever they are stored in. Kernels cast as they read, but for parameters of the
 * shapes that are cast `once` a run, into a buffer that is free again after their last reader.
 */
export const inSingles = <T>(params: T, once: (shape: readonly number[]) => boolean = () => false): T =>
  mapTree(isTensor, (t): AnyTensor => {
    const stored = unwrap(t);
    const single = B.cast(stored, 'f32');
    const whole = single !== stored && once(stored.shape);
    return wrap<Shape, DType>(whole ? B.mark({ m: 'materialise' }, single) : single);
  })(params) as T;

/** Matrices and filters on a processor: its tiles of a product would cast an element again for every few rows. */
export const castOnce =
  ({ backend }: Pick<Runtime, 'backend'>) =>
  (shape: readonly number[]): boolean =>
    backend.caps.target === 'wasm' && shape.length > 1;
