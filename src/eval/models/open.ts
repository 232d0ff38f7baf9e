// The adapter for what lies at a path: told by the model_type of a folder's config.json, or else a tokenizer of this project.
import { join } from 'node:path';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { z } from 'zod';
import type { DataError } from '../../data/error.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { readConfig } from './checkpoint-folder.ts';
import { openClip, openClipText } from './clip.ts';
import type { EvaluatedModel, TextTower } from './evaluated-model.ts';
import { openSiglip, openSiglipText } from './siglip.ts';

const towers: Readonly<
  Record<string, (runtime: Runtime, folder: string, json: unknown) => TE.TaskEither<DataError, EvaluatedModel>>
> = { siglip: openSiglip, clip: openClip };

const textTowers: Readonly<
  Record<
    string,
    (runtime: Runtime, folder: string, json: unknown, tokenizer?: string) => TE.TaskEither<DataError, TextTower>
  >
> = { siglip: openSiglipText, clip: openClipText };

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

/** A checkpoint folder of SigLIP (1 or 2), CLIP or MobileNetV2. Left: it cannot be read, is of another family, or does not fit. */
export const openModel = (runtime: Runtime, path: string): TE.TaskEither<DataError, EvaluatedModel> =>
  pipe(
    readConfig(path),
    TE.chain((json) => {
      const open = towers[modelType(json)];
      return open === undefined ? TE.left(unknownType(path, json, Object.keys(towers))) : open(runtime, path, json);
    }),
  );

/** The text tower of a checkpoint folder of SigLIP or CLIP, with the tokenizer at `tokenizer`, by default the one in it. */
export const openTextTower = (
  runtime: Runtime,
  folder: string,
  tokenizer?: string,
): TE.TaskEither<DataError, TextTower> =>
  pipe(
    readConfig(folder),
    TE.chain((json) => {
      const open = textTowers[modelType(json)];
      return open === undefined
        ? TE.left(unknownType(folder, json, Object.keys(textTowers)))
        : open(runtime, folder, json, tokenizer);
    }),
  );
