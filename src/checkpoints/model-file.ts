// Which model a file or a folder holds: its family and configuration, in the file's metadata or in the folder's config.json.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { z } from 'zod';
import { type DataError, fileError, safetensorsError } from '../data/error.ts';
import { parseJson, readJsonIfThere } from '../data/json.ts';
import { withSafetensors } from '../data/safetensors/index.ts';
import { parseModel, type VariantModel } from '../models/variants/index.ts';

/** What config.json says in this field: that its folder holds a model of this project. */
export const MODEL_TYPE = 'dualtoken';
const configSchema = z.looseObject({ model_type: z.literal(MODEL_TYPE), family: z.string(), config: z.unknown() });

/** What a file carries beside the tensors of a model. */
export const metadataOf = ({ family, config }: VariantModel): Readonly<Record<string, string>> => ({
  format: MODEL_TYPE,
  family,
  config: JSON.stringify(config),
});

/** config.json of a folder that holds a model. */
export const configFile = ({ family, config }: VariantModel): string =>
  `${JSON.stringify({ model_type: MODEL_TYPE, family, config }, null, 2)}\n`;

/** Undefined where there is none, or `path` is no folder. */
const configIn = (path: string): TE.TaskEither<DataError, unknown> =>
  pipe(
    TE.tryCatch(() => stat(path), fileError('read', path)),
    TE.chain((found) => (found.isDirectory() ? readJsonIfThere(join(path, 'config.json')) : TE.right(undefined))),
  );

const checkedModel =
  (fault: (reason: string) => DataError) =>
  (family: string, config: unknown): E.Either<DataError, VariantModel> =>
    pipe(
      parseModel(family, config),
      E.mapLeft((faults) => fault(`its configuration is not valid:\n  ${faults.join('\n  ')}`)),
    );

const fromConfig = (path: string, json: unknown): E.Either<DataError, VariantModel> => {
  const fault = (reason: string): DataError => safetensorsError(path, null, reason);
  const read = configSchema.safeParse(json);
  return read.success
    ? checkedModel(fault)(read.data.family, read.data.config)
    : E.left(fault("its config.json is of no model of this project: 'dualtoken import' takes published ones"));
};

const fromMetadata = (path: string, metadata: Readonly<Record<string, string>>): E.Either<DataError, VariantModel> => {
  const fault = (reason: string): DataError => safetensorsError(path, null, reason);
  if (metadata.config === undefined)
    return E.left(fault('it carries no configuration: it is no tokenizer of this project'));
  return pipe(
    parseJson(`${path}, its configuration`, metadata.config),
    E.chain((json) => checkedModel(fault)(metadata.family ?? 'dualtoken', json)),
  );
};

/** The model of a file of this project, or of a folder in a published layout with its config.json. */
export const modelIn = (path: string): TE.TaskEither<DataError, VariantModel> =>
  pipe(
    configIn(path),
    TE.chain((json) =>
      json === undefined
        ? withSafetensors(path)((file) => TE.fromEither(fromMetadata(path, file.metadata)))
        : TE.fromEither(fromConfig(path, json)),
    ),
  );
