// A trained tokenizer as a file, and ready for use: parameters and both tables in one safetensors file that carries its configuration.
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type DataError, safetensorsError } from '../data/error.ts';
import { type TensorData, withSafetensors, writeSafetensors } from '../data/safetensors/index.ts';
import { isParamSpec, type ParamsOf } from '../dsl/param.ts';
import type { Rank4 } from '../dsl/shape.ts';
import type { Tensor } from '../dsl/tensor.ts';
import { flatten } from '../dsl/tree.ts';
import {
  type DualTokenConfig,
  type DualTokenParams,
  decode,
  dualTokenSpec,
  encode,
  type Tables,
  tablesSpec,
} from '../models/dualtoken.ts';
import { patchGrid } from '../models/nn/patch-embedding.ts';
import { parseConfig } from '../models/variants/index.ts';
import type { Values } from '../runtime/jit.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { HostTensor } from '../runtime/tensor.ts';
import { loadNamed } from './load-checkpoint.ts';
import type { NamedTensors } from './vectors.ts';

/** Everything that using a tokenizer takes, under its published names. */
export const tokenizerSpec = (c: DualTokenConfig) => ({ ...dualTokenSpec(c), ...tablesSpec(c) });

/** Writes a tokenizer: half precision, with its configuration as metadata. Written aside, then renamed. */
export const writeTokenizer = (
  path: string,
  config: DualTokenConfig,
  tensors: NamedTensors,
): TE.TaskEither<DataError, void> => {
  const wanted = flatten(tokenizerSpec(config), isParamSpec).leaves.map((l) => l.path);
  const entries = wanted.flatMap((name): (readonly [string, TensorData])[] => {
    const t = tensors.get(name);
    return t ? [[name, { dtype: 'F32', shape: t.shape, data: t.data }]] : [];
  });
  return writeSafetensors(path, new Map(entries), {
    floats: 'F16',
    metadata: { format: 'dualtoken', config: JSON.stringify(config) },
  });
};

const configOf = (path: string, metadata: Readonly<Record<string, string>>): E.Either<DataError, DualTokenConfig> => {
  const fault = (why: string): E.Either<DataError, never> => E.left(safetensorsError(path, null, why));
  if (metadata.config === undefined) return fault('it carries no configuration: it is no tokenizer of this project');
  let json: unknown;
  try {
    json = JSON.parse(metadata.config);
  } catch {
    return fault('its configuration is no JSON');
  }
  return pipe(
    parseConfig(json),
    E.mapLeft((faults) => safetensorsError(path, null, `its configuration is not valid:\n  ${faults.join('\n  ')}`)),
  );
};

/** Codes of one picture, row-major [height, width, depth]. */
export interface PictureCodes {
  readonly pixel: Int32Array;
  readonly semantic: Int32Array;
}

export interface Tokenizer {
  readonly config: DualTokenConfig;
  /** Positions on a side. */
  readonly grid: number;
  /** One picture [3, H, W] in [-1, 1]. Throws RunFailure or CompileFailure. */
  readonly encode: (image: Float32Array) => Promise<PictureCodes>;
  /** Pixel codes [grid, grid, depth] to a picture [3, H, W], about [-1, 1]. */
  readonly decode: (codes: Int32Array) => Promise<Float32Array>;
}

/** Reads a tokenizer and puts it on the device. Left: the file cannot be read, or does not fit its own configuration. */
export const openTokenizer = (runtime: Runtime, path: string): TE.TaskEither<DataError, Tokenizer> =>
  pipe(
    withSafetensors(path)((file) => TE.fromEither(configOf(path, file.metadata))),
    TE.bindTo('config'),
    TE.bind('named', ({ config }) => loadNamed(path, tokenizerSpec(config))),
    TE.chainTaskK(
      ({ config, named }) =>
        () =>
          placeTokenizer(runtime, config, named),
    ),
  );

const placeTokenizer = async (runtime: Runtime, config: DualTokenConfig, named: NamedTensors): Promise<Tokenizer> => {
  const place = async <P>(spec: P): Promise<Values<ParamsOf<P>>> => {
    const flat = flatten(spec, isParamSpec);
    const on = flat.leaves.map(async ({ path, value }) => runtime.upload(named.get(path)!.data, value.shape));
    // Rebuilt by the spec's own form.
    return flat.rebuild(await Promise.all(on)) as Values<ParamsOf<P>>;
  };
  const params = await place(dualTokenSpec(config));
  const tables = await place(tablesSpec(config));
  const toCodes = runtime.compile(
    (p: DualTokenParams, t: Tables, images: Tensor<Rank4>) => {
      const { pixel, semantic } = encode(config, p, t)(images);
      return { pixel: pixel.codes, semantic: semantic.codes };
    },
    { name: 'encode' },
  );
  const toPicture = runtime.compile(
    (p: DualTokenParams, t: Tables, codes: Tensor<Rank4, 'i32'>) => decode(config, p, t)(codes),
    { name: 'decode' },
  );
  const grid = patchGrid(config.vision);
  const { image_size: size, num_channels: channels } = config.vision;
  return {
    config,
    grid,
    encode: async (image) => {
      const out = await toCodes(params, tables, new HostTensor(image, [1, channels, size, size], 'f32'));
      const [pixel, semantic] = [await out.pixel.read(), await out.semantic.read()];
      out.pixel.free();
      out.semantic.free();
      return { pixel, semantic };
    },
    decode: async (codes) => {
      const at = new HostTensor(codes, [1, grid, grid, config.quantiser.depth], 'i32');
      const out = await toPicture(params, tables, at);
      const picture = await out.read();
      out.free();
      return picture;
    },
  };
};
