// The adapter for what lies at a path: told by the model_type of a folder's config.json, or else a tokenizer of this project.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { z } from 'zod';
import type { DataError } from '../../data/error.ts';
import { type Safetensors, withSafetensors } from '../../data/safetensors/index.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { readConfig } from './checkpoint-folder.ts';
import { openClip, openClipText } from './clip.ts';
import type { EvaluatedModel, OpenTextTower } from './evaluated-model.ts';
import { openMobileNet } from './mobilenet.ts';
import { openSiglip, openSiglipText } from './siglip.ts';
import { openTokenizerModel, openTokenizerText } from './tokenizer.ts';

const towers: Readonly<
  Record<string, (runtime: Runtime, folder: string, json: unknown) => TE.TaskEither<DataError, EvaluatedModel>>
> = { siglip: openSiglip, clip: openClip, mobilenet_v2: openMobileNet, dualtoken: openTokenizerModel };

const textTowers: Readonly<
  Record<
    string,
    (runtime: Runtime, folder: string, json: unknown, tokenizer?: string) => TE.TaskEither<DataError, OpenTextTower>
  >
> = {
  siglip: openSiglipText,
  clip: openClipText,
  dualtoken: (runtime, folder, _, tokenizer) => openTokenizerText(runtime, folder, tokenizer),
};

const modelType = (json: unknown): string => {
  const read = z.object({ model_type: z.string() }).safeParse(json);
  return read.success ? read.data.model_type : 'not stated';
};

const unknownType = (folder: string, json: unknown, known: readonly string[]): DataError => ({
  _tag: 'FileError',
  action: 'read',
  path: join(folder, 'config.json'),
  reason: `its model_type is ${modelType(json)}; known here are ${known.join(', ')}`,
});

/** config.json of a folder; undefined where there is none, or `path` is no folder. Left: it cannot be read. */
const configIn = (path: string): TE.TaskEither<DataError, unknown> =>
  existsSync(join(path, 'config.json')) ? readConfig(path) : TE.right(undefined);

/** Files without a configuration that hold a MobileNetV2, under any of its names. */
const isMobileNet = ({ tensors, metadata }: Safetensors): boolean =>
  metadata.config === undefined &&
  ['00.weight', 'features.18.0.weight', 'conv_head.weight', 'mobilenet_v2.conv_1x1.convolution.weight'].some((name) =>
    tensors.has(name),
  );

/** What no config.json of a known family describes. */
const openFile = (runtime: Runtime, path: string, json: unknown): TE.TaskEither<DataError, EvaluatedModel> =>
  pipe(
    withSafetensors(path)((file) => TE.right([isMobileNet(file), file.metadata.config !== undefined] as const)),
    TE.chain(([mobileNet, tokenizer]) => {
      if (mobileNet) return openMobileNet(runtime, path);
      return tokenizer || json === undefined
        ? openTokenizerModel(runtime, path)
        : TE.left(unknownType(path, json, Object.keys(towers)));
    }),
  );

/**
 * A checkpoint folder of SigLIP (1 or 2), CLIP or MobileNetV2, a MobileNetV2 without a configuration, or a tokenizer file of this
 * project. Left: it cannot be read, is of another family, or does not fit.
 */
export const openModel = (runtime: Runtime, path: string): TE.TaskEither<DataError, EvaluatedModel> =>
  pipe(
    configIn(path),
    TE.chain((json) => {
      const open = towers[modelType(json)];
      return open === undefined ? openFile(runtime, path, json) : open(runtime, path, json);
    }),
  );

/** The text tower of a checkpoint folder of SigLIP or CLIP, with the tokenizer at `tokenizer`, by default the one in it; or that of a tower's file. */
export const openTextTower = (
  runtime: Runtime,
  path: string,
  tokenizer?: string,
): TE.TaskEither<DataError, OpenTextTower> =>
  pipe(
    configIn(path),
    TE.chain((json) => {
      if (json === undefined) return openTokenizerText(runtime, path, tokenizer);
      const open = textTowers[modelType(json)];
      return open === undefined
        ? TE.left(unknownType(path, json, Object.keys(textTowers)))
        : open(runtime, path, json, tokenizer);
    }),
  );
