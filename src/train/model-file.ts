// A trained tokenizer as one file: parameters and codebooks under their names, and in the metadata the configuration that they fit.
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { safetensorsError } from '../data/error.ts';
import { type DataError, withSafetensors, writeSafetensors } from '../data/index.ts';
import { codebooksSpec, type DualTokenConfig, dualTokenSpec } from '../models/dualtoken.ts';
import { readVariant } from '../models/variants/index.ts';
import { asStored } from './checkpoint.ts';
import { loadNamed } from './load-checkpoint.ts';
import { sections } from './trainer.ts';
import type { NamedTensor, NamedTensors } from './vectors.ts';

/** Everything that encoding and decoding read. */
export const modelSpec = (c: DualTokenConfig) => ({ ...dualTokenSpec(c), ...codebooksSpec(c) });

export interface ModelFile {
  readonly path: string;
  /** Name of the variant that it was made from. */
  readonly variant: string;
  readonly config: DualTokenConfig;
  readonly tensors: NamedTensors;
  /** Steps that it was trained for. */
  readonly steps: number;
}

/** The part of a run's snapshot that a model file holds. */
export const modelTensors = (snapshot: NamedTensors): NamedTensors => {
  const training = [sections.m, sections.v, sections.frozen];
  return new Map(
    [...snapshot]
      .filter(([name]) => !training.some((prefix) => name.startsWith(prefix)))
      .map(([name, tensor]): readonly [string, NamedTensor] => [
        name.startsWith(sections.extra) ? name.slice(sections.extra.length) : name,
        tensor,
      ]),
  );
};

/** Writes it, whole or not at all; f16 halves the size and rounds to 11 bits. */
export const writeModel = (
  { path, variant, config, tensors, steps }: ModelFile,
  floats: 'F16' | 'F32',
): TE.TaskEither<DataError, void> =>
  writeSafetensors(path, asStored(tensors), {
    floats,
    metadata: { format: 'dualtoken', variant, steps: `${steps}`, config: JSON.stringify(config) },
  });

const parseConfig = (
  path: string,
  { format, variant, config, steps }: Readonly<Record<string, string | undefined>>,
): E.Either<DataError, Omit<ModelFile, 'tensors'>> => {
  const fail = (why: string): E.Either<DataError, never> => E.left(safetensorsError(path, null, why));
  if (format !== 'dualtoken' || variant === undefined || config === undefined)
    return fail("this is no trained tokenizer: its metadata lack the configuration that 'dualtoken train' writes");
  return pipe(
    E.tryCatch(
      (): unknown => ({ ...JSON.parse(config), variant }),
      () => ['it is not JSON'],
    ),
    E.chain(readVariant),
    E.mapLeft((faults) => safetensorsError(path, null, `its configuration: ${faults.join('; ')}`)),
    E.map((parsed) => ({ path, variant, config: parsed, steps: Number(steps ?? 0) })),
  );
};

/** Reads a trained tokenizer. Left: no such file, a broken one, one without configuration, or tensors that do not fit it. */
export const readModel = (path: string): TE.TaskEither<DataError, ModelFile> =>
  pipe(
    withSafetensors(path)((file) => TE.fromEither(parseConfig(path, file.metadata))),
    TE.chain((info) =>
      pipe(
        loadNamed(path, modelSpec(info.config)),
        TE.map((tensors) => ({ ...info, tensors })),
      ),
    ),
  );
