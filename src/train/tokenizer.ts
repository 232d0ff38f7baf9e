// A trained tokenizer as a file, and ready for use: parameters and tables in one safetensors file that carries its configuration.
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type DataError, safetensorsError } from '../data/error.ts';
import { type TensorData, withSafetensors, writeSafetensors } from '../data/safetensors/index.ts';
import { isParamSpec, type ParamsOf } from '../dsl/param.ts';
import type { Rank4 } from '../dsl/shape.ts';
import type { Tensor } from '../dsl/tensor.ts';
import { flatten } from '../dsl/tree.ts';
import { type TokenizerSystem, withSystem } from '../models/systems/index.ts';
import { parseModel, type VariantModel } from '../models/variants/index.ts';
import type { Values } from '../runtime/jit.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { HostTensor } from '../runtime/tensor.ts';
import { TrainFailure } from './failure.ts';
import { loadNamed } from './load-checkpoint.ts';
import type { NamedTensors } from './vectors.ts';

/** Everything that using a tokenizer takes, under its published names. */
export const tokenizerSpec = (model: VariantModel): unknown =>
  withSystem(model, ({ spec, tablesSpec }) => ({ ...spec, ...tablesSpec }));

/** Writes a tokenizer: half precision, with its family and configuration as metadata. Written aside, then renamed. */
export const writeTokenizer = (
  path: string,
  model: VariantModel,
  tensors: NamedTensors,
): TE.TaskEither<DataError, void> => {
  const wanted = flatten(tokenizerSpec(model), isParamSpec).leaves.map((l) => l.path);
  const entries = wanted.flatMap((name): (readonly [string, TensorData])[] => {
    const t = tensors.get(name);
    return t ? [[name, { dtype: 'F32', shape: t.shape, data: t.data }]] : [];
  });
  return writeSafetensors(path, new Map(entries), {
    floats: 'F16',
    metadata: { format: 'dualtoken', family: model.family, config: JSON.stringify(model.config) },
  });
};

const modelOf = (path: string, metadata: Readonly<Record<string, string>>): E.Either<DataError, VariantModel> => {
  const fault = (why: string): E.Either<DataError, never> => E.left(safetensorsError(path, null, why));
  if (metadata.config === undefined) return fault('it carries no configuration: it is no tokenizer of this project');
  let json: unknown;
  try {
    json = JSON.parse(metadata.config);
  } catch {
    return fault('its configuration is no JSON');
  }
  return pipe(
    parseModel(metadata.family ?? 'dualtoken', json),
    E.mapLeft((faults) => safetensorsError(path, null, `its configuration is not valid:\n  ${faults.join('\n  ')}`)),
  );
};

/** Codes of one picture by vocabulary, row-major [height, width, depth]. */
export interface PictureCodes {
  readonly pixel?: Int32Array;
  readonly semantic?: Int32Array;
}

export interface Tokenizer {
  readonly model: VariantModel;
  /** Side of the pictures, positions on a side, and codes of a position. */
  readonly size: number;
  readonly grid: number;
  readonly depth: number;
  /** Codes of each vocabulary. */
  readonly vocabularies: Readonly<Record<string, number>>;
  /** One picture [3, H, W] in [-1, 1]. Throws RunFailure or CompileFailure. */
  readonly encode: (image: Float32Array) => Promise<PictureCodes>;
  /** Pixel codes [grid, grid, depth] to a picture [3, H, W], about [-1, 1]. Throws TrainFailure for a model without a decoder. */
  readonly decode: (codes: Int32Array) => Promise<Float32Array>;
}

/** Reads a tokenizer and puts it on the device. Left: the file cannot be read, or does not fit its own configuration. */
export const openTokenizer = (runtime: Runtime, path: string): TE.TaskEither<DataError, Tokenizer> =>
  pipe(
    withSafetensors(path)((file) => TE.fromEither(modelOf(path, file.metadata))),
    TE.bindTo('model'),
    TE.bind('named', ({ model }) => loadNamed(path, tokenizerSpec(model))),
    TE.chainTaskK(
      ({ model, named }) =>
        () =>
          withSystem(model, (system) => placeTokenizer(runtime, model, system, named)),
    ),
  );

const placeTokenizer = async <P, Q, T>(
  runtime: Runtime,
  model: VariantModel,
  system: TokenizerSystem<P, Q, T>,
  named: NamedTensors,
): Promise<Tokenizer> => {
  const { size, grid, depth, vocabularies } = system;
  const place = async <S>(spec: S): Promise<Values<ParamsOf<S>>> => {
    const flat = flatten(spec, isParamSpec);
    const on = flat.leaves.map(async ({ path, value }) => runtime.upload(named.get(path)!.data, value.shape));
    // Rebuilt by the spec's own form.
    return flat.rebuild(await Promise.all(on)) as Values<ParamsOf<S>>;
  };
  const params = await place(system.spec);
  const tables = await place(system.tablesSpec);
  const toCodes = runtime.compile(
    (p: ParamsOf<P>, t: ParamsOf<T>, images: Tensor<Rank4>) => system.encode(p, t)(images),
    { name: 'encode' },
  );
  const toPicture = runtime.compile(
    (p: ParamsOf<P>, t: ParamsOf<T>, codes: Tensor<Rank4, 'i32'>): Tensor<Rank4> => {
      if (system.decode === null) throw new TrainFailure('this model has no decoder: it paints nothing');
      return system.decode(p, t)(codes);
    },
    { name: 'decode' },
  );
  return {
    model,
    size,
    grid,
    depth,
    vocabularies,
    encode: async (image) => {
      const out = await toCodes(params, tables, new HostTensor(image, [1, 3, size, size], 'f32'));
      const read = await Promise.all(
        Object.entries(out).map(async ([name, codes]) => {
          const values = await codes.read();
          codes.free();
          return [name, values] as const;
        }),
      );
      return Object.fromEntries(read);
    },
    decode: async (codes) => {
      const at = new HostTensor(codes, [1, grid, grid, depth], 'i32');
      const out = await toPicture(params, tables, at);
      const picture = await out.read();
      out.free();
      return picture;
    },
  };
};
