// MobileNetV2 with its weights: of Hugging Face, torchvision or timm, or the folded network of a TensorFlow Lite graph.
import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type DataError, datasetError, fileError } from '../data/error.ts';
import { readJsonIfThere } from '../data/json.ts';
import { type Safetensors, withSafetensors } from '../data/safetensors/index.ts';
import {
  type MobileNetV2Config,
  mobileNetV2,
  mobileNetV2Default,
  mobileNetV2Names,
  mobileNetV2Torchvision,
  parseMobileNetV2Config,
} from '../models/features/index.ts';
import { loadNamed } from './load-checkpoint.ts';
import type { NamedTensors } from './named-tensors.ts';

export interface LoadedMobileNet {
  readonly config: MobileNetV2Config;
  readonly tensors: NamedTensors;
}

/** A MobileNetV2 before its weights are read. */
export interface FoundMobileNet {
  readonly config: MobileNetV2Config;
  readonly file: string;
}

/** The one .safetensors file of a folder, or `path` itself. */
const fileAt = (path: string): TE.TaskEither<DataError, string> =>
  pipe(
    TE.tryCatch(async () => ((await stat(path)).isDirectory() ? await readdir(path) : null), fileError('read', path)),
    TE.chainEitherK((names) => {
      if (names === null) return E.right(path);
      const files = names.filter((name) => name.endsWith('.safetensors'));
      return files.length === 1
        ? E.right(join(path, files[0]!))
        : E.left(datasetError(path, `${files.length} .safetensors files lie there: name one`));
    }),
  );

/** What config.json beside the file says, null where there is none. */
const configBeside = (file: string): TE.TaskEither<DataError, MobileNetV2Config | null> => {
  const path = join(dirname(file), 'config.json');
  return pipe(
    readJsonIfThere(path),
    TE.chainEitherK((json) =>
      json === undefined
        ? E.right(null)
        : pipe(
            parseMobileNetV2Config(json),
            E.mapLeft((faults) => datasetError(path, faults.join('; '))),
          ),
    ),
  );
};

/** Without a configuration: width 1, folded where operations are numbered, and as many classes as the last bias has. */
const guessed = ({ tensors }: Safetensors): MobileNetV2Config => {
  const folded = tensors.has('00.weight');
  const bias = ['classifier.bias', 'classifier.1.bias'].map((name) => tensors.get(name)).find((t) => t !== undefined);
  const last = folded
    ? tensors.get(
        [...tensors.keys()]
          .filter((n) => n.endsWith('.bias'))
          .sort()
          .at(-1) ?? '',
      )
    : bias;
  // TensorFlow's padding goes with its files; torchvision's and timm's have PyTorch's.
  const like =
    folded || (tensors.has('classifier.weight') && !tensors.has('conv_head.weight'))
      ? mobileNetV2Default
      : mobileNetV2Torchvision;
  return { ...like, folded, classes: last?.shape[0] ?? like.classes };
};

/** In a folder or a .safetensors file. Left: no file can be told, or it or its configuration cannot be read. */
export const findMobileNetV2 = (path: string): TE.TaskEither<DataError, FoundMobileNet> =>
  pipe(
    fileAt(path),
    TE.bindTo('file'),
    TE.bind('config', ({ file }) =>
      pipe(
        configBeside(file),
        TE.chain((config) =>
          config ? TE.right(config) : withSafetensors(file)((opened) => TE.right(guessed(opened))),
        ),
      ),
    ),
  );

/** From a folder or a .safetensors file. Left: everything that is missing or misshapen. */
export const loadMobileNetV2 = (path: string): TE.TaskEither<DataError, LoadedMobileNet> =>
  pipe(
    findMobileNetV2(path),
    TE.chain(({ config, file }) =>
      pipe(
        loadNamed(file, mobileNetV2(config).spec, mobileNetV2Names(config)),
        TE.map((tensors) => ({ config, tensors })),
      ),
    ),
  );
