// Published weights as a model of this project: every name on both sides is accounted for, then one file is written.
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { DataError } from '../data/error.ts';
import { type Safetensors, withSafetensors } from '../data/safetensors/index.ts';
import { type Mismatch, type Survey, surveyParams } from '../models/load.ts';
import { publishedLayout } from '../models/published.ts';
import type { VariantModel } from '../models/variants/index.ts';
import { fileSource, joinSources, renamed, type TensorSource } from './source.ts';
import { tokenizerSpec } from './tokenizer.ts';

/** A tensor or parameter by name, with its sizes. */
export interface NamedShape {
  readonly name: string;
  readonly shape: readonly number[];
}

/** How a source and a model meet. */
export interface ImportPlan {
  /** Parameters of the model with the tensors of the source. */
  readonly matched: Survey['matched'];
  /** Parameters that the source ought to have and has not, or has as something else. */
  readonly faults: readonly Mismatch[];
  /** Parts that a tower by itself has no weights for: they are drawn anew. */
  readonly anew: readonly NamedShape[];
  /** Tensors that belong to a whole checkpoint and that the model has no use for, as its text tower. */
  readonly beside: readonly NamedShape[];
  /** Tensors that belong to nothing that is known. */
  readonly unknown: readonly NamedShape[];
  /** Aliases of a codebook that are not it: the source has a codebook for each depth. */
  readonly unshared: readonly NamedShape[];
}

const isVision = (path: string): boolean => path.startsWith('siglip_model.vision_model.');

/** Whether tensors are those of a tower by itself, as SigLIP is published. */
const isTower = ({ matched, extra }: Survey): boolean =>
  matched.length > 0 && matched.every(({ path }) => isVision(path)) && extra.length === 0;

const numbered = /^(.*\.codebooks\.)\d+(\..*)$/;

/** Aliases of a matched codebook whose bytes are others. */
const unsharedIn = (file: Safetensors, { matched, ignored }: Survey): TE.TaskEither<DataError, readonly string[]> => {
  const used = new Map(
    matched.flatMap(({ name }) => {
      const [, before, after] = numbered.exec(name) ?? [];
      return before === undefined ? [] : [[`${before}${after}`, name] as const];
    }),
  );
  const aliases = ignored.flatMap((name) => {
    const [, before, after] = numbered.exec(name) ?? [];
    const of = used.get(`${before}${after}`);
    return of === undefined ? [] : [{ name, of }];
  });
  return pipe(
    aliases,
    TE.traverseSeqArray(({ name, of }) =>
      pipe(
        TE.Do,
        TE.bind('own', () => file.raw(of)),
        TE.bind('other', () => file.raw(name)),
        TE.map(({ own, other }) => (Buffer.compare(own.bytes, other.bytes) === 0 ? [] : [name])),
      ),
    ),
    TE.map((found) => found.flat()),
  );
};

/**
 * How the tensors at `path` (a .safetensors file, an index of shards, a folder) and a model meet, before any is read: what does not fit is
 * in the plan, and no error. Left: the files cannot be read, or are no safetensors.
 */
export const planImport = (path: string, model: VariantModel): TE.TaskEither<DataError, ImportPlan> =>
  withSafetensors(path)((file) => {
    const survey = surveyParams(tokenizerSpec(model), file.tensors, publishedLayout(model)(file.tensors));
    const { matched, unmet, extra, ignored } = survey;
    const shaped = (name: string): NamedShape => ({ name, shape: file.tensors.get(name)!.shape });
    const isAnew = (p: string): boolean => isTower(survey) && !isVision(p);
    return pipe(
      unsharedIn(file, survey),
      TE.map((unshared) => ({
        matched,
        faults: unmet.flatMap(({ wanted, why }) => (isAnew(wanted.path) ? [] : [why])),
        anew: unmet.flatMap(({ wanted: { path: at, spec } }) => (isAnew(at) ? [{ name: at, shape: spec.shape }] : [])),
        beside: ignored.filter((name) => !unshared.includes(name)).map(shaped),
        unknown: extra.map(({ name }) => shaped(name)),
        unshared: unshared.map(shaped),
      })),
    );
  });

/**
 * The model's tensors by path, for `writeTokenizer` or `publishModel`: those of the source under the plan's names, f32, and of `drawn`
 * (`drawnSource`) what the source lacks. Reading throws DataFailure.
 */
export const importedSource = (path: string, { matched }: ImportPlan, drawn: TensorSource | null): TensorSource => {
  const at = new Map(matched.map((m) => [m.path, { stored: m.name, shape: m.spec.shape }]));
  const own = fileSource(path, at);
  if (drawn === null) return own;
  const rest = [...drawn.shapes.keys()].filter((name) => !at.has(name));
  return joinSources(own, renamed(drawn, new Map(rest.map((name) => [name, name]))));
};
