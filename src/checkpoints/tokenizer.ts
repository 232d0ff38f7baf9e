// A trained tokenizer as a file, and ready for use: parameters and tables in one safetensors file that carries its configuration.
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { DataError } from '../data/error.ts';
import { writeSafetensorsFrom } from '../data/safetensors/index.ts';
import { namedSpecs, type ParamsOf } from '../dsl/param.ts';
import type { Rank4 } from '../dsl/shape.ts';
import type { Tensor } from '../dsl/tensor.ts';
import { publishedLayout } from '../models/published.ts';
import { type TokenizerSystem, withSystem } from '../models/systems/index.ts';
import type { VariantModel } from '../models/variants/index.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { HostTensor } from '../runtime/tensor.ts';
import { TrainFailure } from './failure.ts';
import { metadataOf, modelIn } from './model-file.ts';
import { castOnce, freePlaced, inSingles, type OnBytes, type Placed, placedParams, placeStored } from './place.ts';
import { pendingOf, type TensorSource } from './source.ts';

/** Everything that using a tokenizer takes, under its published names. */
export const tokenizerSpec = (model: VariantModel): unknown =>
  withSystem(model, ({ spec, tablesSpec }) => ({ ...spec, ...tablesSpec }));

export interface TokenizerFileOptions {
  /** How values are stored. Default F16. */
  readonly floats?: 'F32' | 'F16' | 'BF16';
  /** Told of each tensor that is written. */
  readonly onTensor?: () => void;
}

/** Writes a tokenizer, with its family and configuration as metadata. Written aside, then renamed. */
export const writeTokenizer = (
  path: string,
  model: VariantModel,
  tensors: TensorSource,
  { floats = 'F16', onTensor = () => {} }: TokenizerFileOptions = {},
): TE.TaskEither<DataError, void> => {
  const names = namedSpecs(tokenizerSpec(model)).flatMap(({ path: name }) => (tensors.shapes.has(name) ? [name] : []));
  const pending = pendingOf(tensors, { names, finite: path }).map((tensor) => ({
    ...tensor,
    read: pipe(
      tensor.read,
      TE.chainFirstIOK(() => onTensor),
    ),
  }));
  return writeSafetensorsFrom(path, pending, { floats, metadata: metadataOf(model) });
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
  /** Gives back what it holds on the device; nothing of it runs afterwards. */
  readonly free: () => Promise<void>;
}

/**
 * Reads a tokenizer, a file of this project's or a folder in a published layout, and puts it on the device as it is stored. Left: it
 * cannot be read, or does not fit its own configuration. Rejects with RunFailure where there is no room.
 */
export const openTokenizer = (runtime: Runtime, path: string, onBytes?: OnBytes): TE.TaskEither<DataError, Tokenizer> =>
  pipe(
    modelIn(path),
    TE.chain((model) => withSystem(model, (system) => placeTokenizer(runtime, path, model, system, onBytes))),
  );

const placeTokenizer = <P, Q, T>(
  runtime: Runtime,
  path: string,
  model: VariantModel,
  system: TokenizerSystem<P, Q, T>,
  onBytes?: OnBytes,
): TE.TaskEither<DataError, Tokenizer> =>
  pipe(
    placeStored(runtime, path, tokenizerSpec(model), publishedLayout(model), onBytes),
    TE.map((placed) => compiledTokenizer(runtime, model, system, placed)),
  );

const compiledTokenizer = <P, Q, T>(
  runtime: Runtime,
  model: VariantModel,
  system: TokenizerSystem<P, Q, T>,
  placed: Placed,
): Tokenizer => {
  const [params, tables] = [placedParams(system.spec, placed), placedParams(system.tablesSpec, placed)];
  const { size, grid, depth, vocabularies } = system;
  const once = castOnce(runtime);
  const toCodes = runtime.compile(
    (p: ParamsOf<P>, t: ParamsOf<T>, images: Tensor<Rank4>) =>
      system.encode(inSingles(p, once), inSingles(t, once))(images),
    { name: 'encode' },
  );
  const toPicture = runtime.compile(
    (p: ParamsOf<P>, t: ParamsOf<T>, codes: Tensor<Rank4, 'i32'>): Tensor<Rank4> => {
      if (system.decode === null) throw new TrainFailure('this model has no decoder: it paints nothing');
      return system.decode(inSingles(p, once), inSingles(t, once))(codes);
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
    free: async () => {
      await toCodes.free();
      await toPicture.free();
      freePlaced(placed);
    },
  };
};
