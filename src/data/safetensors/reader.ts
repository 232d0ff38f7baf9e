// A checkpoint as a lazy table of tensors: opening reads headers only, each tensor is read when it is asked for.
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type DataError, safetensorsError } from '../error.ts';
import { type TensorData, viewValues } from './dtype.ts';
import { type OpenFile, openFile } from './file.ts';
import { floatsFromBf16, floatsFromF16 } from './half.ts';
import type { TensorInfo } from './header.ts';
import { type Located, locate } from './locate.ts';

/** Row-major values as f32. */
export interface FloatTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}

/** Bytes as stored, little-endian. */
export interface RawTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface Safetensors {
  /** The path that was opened. */
  readonly path: string;
  /** The files' own `__metadata__`; of shards that disagree the first wins. */
  readonly metadata: Readonly<Record<string, string>>;
  /** By name, in the order of the files. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Any dtype, as bytes. */
  readonly raw: (name: string) => TE.TaskEither<DataError, RawTensor>;
  /** Typed values as stored; F16 and BF16 as raw Uint16Array. */
  readonly values: (name: string) => TE.TaskEither<DataError, TensorData>;
  /** F32, F16 or BF16 as f32; any other dtype is an error. */
  readonly floats: (name: string) => TE.TaskEither<DataError, FloatTensor>;
  readonly close: () => Promise<void>;
}

const toFloats =
  (path: string, name: string) =>
  (tensor: TensorData): E.Either<DataError, FloatTensor> => {
    const { shape } = tensor;
    switch (tensor.dtype) {
      case 'F32':
        return E.right({ shape, data: tensor.data });
      case 'F16':
        return E.right({ shape, data: floatsFromF16(tensor.data) });
      case 'BF16':
        return E.right({ shape, data: floatsFromBf16(tensor.data) });
      default:
        return E.left(safetensorsError(path, name, `is ${tensor.dtype}; F32, F16 or BF16 was expected`));
    }
  };

const nearest = (name: string, known: Iterable<string>): string => {
  const last = name.split('.').at(-1) ?? name;
  const similar = [...known].filter((other) => other.endsWith(last)).slice(0, 3);
  return similar.length === 0 ? '' : `; it has ${similar.join(', ')}`;
};

const reader = (
  path: string,
  files: readonly OpenFile[],
  owner: ReadonlyMap<string, readonly [OpenFile, TensorInfo]>,
): Safetensors => {
  const raw = (name: string): TE.TaskEither<DataError, RawTensor> => {
    const found = owner.get(name);
    if (found === undefined)
      return TE.left(safetensorsError(path, name, `there is no such tensor${nearest(name, owner.keys())}`));
    const [file, info] = found;
    const pack = (buffer: ArrayBuffer): RawTensor => ({
      dtype: info.dtype,
      shape: info.shape,
      bytes: new Uint8Array(buffer),
    });
    return async () => E.map(pack)(await file.bytes(info));
  };
  const values = (name: string): TE.TaskEither<DataError, TensorData> =>
    pipe(
      raw(name),
      TE.chainEitherK(({ dtype, shape, bytes }) =>
        E.fromNullable(
          safetensorsError(owner.get(name)?.[1].file ?? path, name, `values of dtype ${dtype} cannot be read`),
        )(viewValues(dtype, shape, bytes.buffer)),
      ),
    );
  return {
    path,
    metadata: Object.assign({}, ...files.map((file) => file.metadata).reverse()),
    tensors: new Map([...owner].map(([name, [, info]]) => [name, info])),
    raw,
    values,
    floats: (name) => pipe(values(name), TE.chainEitherK(toFloats(owner.get(name)?.[1].file ?? path, name))),
    close: async () => {
      await Promise.all(files.map((file) => file.close()));
    },
  };
};

const merge = (path: string, located: Located, files: readonly OpenFile[]): E.Either<DataError, Safetensors> => {
  const owner = new Map<string, readonly [OpenFile, TensorInfo]>();
  for (const file of files)
    for (const info of file.tensors) {
      const other = owner.get(info.name);
      if (other !== undefined)
        return E.left(safetensorsError(info.file, info.name, `the name occurs twice: it is in ${other[1].file} too`));
      owner.set(info.name, [file, info]);
    }
  for (const [name, file] of located.placed)
    if (owner.get(name)?.[1].file !== file)
      return E.left(safetensorsError(path, name, `the index places it in ${file}, which does not hold it`));
  return E.right(reader(path, files, owner));
};

/**
 * Opens a checkpoint: a .safetensors file, a *.safetensors.index.json, or a folder that holds one of them. Every header
 * is checked here; file handles stay open until `close`.
 */
export const openSafetensors =
  (path: string): TE.TaskEither<DataError, Safetensors> =>
  async () => {
    const located = await locate(path);
    if (E.isLeft(located)) return located;
    const files: OpenFile[] = [];
    const closeAll = async () => {
      await Promise.all(files.map((file) => file.close()));
    };
    for (const name of located.right.files) {
      const file = await openFile(name);
      if (E.isLeft(file)) {
        await closeAll();
        return file;
      }
      files.push(file.right);
    }
    const merged = merge(path, located.right, files);
    if (E.isLeft(merged)) await closeAll();
    return merged;
  };

/** Opens a checkpoint, uses it, and closes it whatever happens. */
export const withSafetensors =
  (path: string) =>
  <A>(use: (file: Safetensors) => TE.TaskEither<DataError, A>): TE.TaskEither<DataError, A> =>
    TE.bracket(openSafetensors(path), use, (file) => TE.fromTask(file.close));

/** Every tensor of a small open checkpoint at once, typed as stored. */
export const allValues = (file: Safetensors): TE.TaskEither<DataError, ReadonlyMap<string, TensorData>> =>
  pipe(
    [...file.tensors.keys()],
    TE.traverseSeqArray((name) =>
      pipe(
        file.values(name),
        TE.map((value) => [name, value] as const),
      ),
    ),
    TE.map((entries) => new Map(entries)),
  );

/** Every tensor of a small checkpoint at once, typed as stored. */
export const readAllValues = (path: string): TE.TaskEither<DataError, ReadonlyMap<string, TensorData>> =>
  withSafetensors(path)(allValues);
