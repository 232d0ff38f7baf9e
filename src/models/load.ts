// Matches the tensors of a checkpoint against a spec by name and shape, and reports everything that does not fit at once.
import * as A from 'fp-ts/lib/Array.js';
import * as E from 'fp-ts/lib/Either.js';
import type * as NEA from 'fp-ts/lib/NonEmptyArray.js';
import { match } from 'ts-pattern';
import { namedSpecs, type ParamSpec } from '../dsl/param.ts';

/** What is known of a stored tensor before its values are read. `dtype` as safetensors names it. */
export interface StoredInfo {
  readonly dtype: string;
  readonly shape: readonly number[];
}

export type Mismatch =
  | { readonly _tag: 'Missing'; readonly name: string; readonly shape: readonly number[] }
  | {
      readonly _tag: 'Misshapen';
      readonly name: string;
      readonly wanted: readonly number[];
      readonly found: readonly number[];
    }
  | { readonly _tag: 'NotFloat'; readonly name: string; readonly dtype: string }
  | { readonly _tag: 'Extra'; readonly name: string; readonly shape: readonly number[] };

/** One parameter of the spec, in the spec's order, with the name that holds it. */
export interface Matched {
  readonly path: string;
  readonly name: string;
  readonly spec: ParamSpec;
}

export interface MatchOptions {
  /** The stored name of a parameter's path; the path itself without it. */
  readonly nameOf?: (path: string) => string;
  /** The shape that is stored under a name, where it is more than the parameter's, which is then made of its first values. */
  readonly shapeOf?: (name: string, shape: readonly number[]) => readonly number[];
  /** Stored tensors that may be left over, as a text tower when only the vision tower is wanted. */
  readonly ignore?: (name: string) => boolean;
}

/** Options that depend on what is stored: files of one network come under several names. */
export type MatchBy = MatchOptions | ((stored: ReadonlyMap<string, StoredInfo>) => MatchOptions);

/** Buffers that checkpoints carry beside parameters: positions counted out, batches counted, and a bias that keys do not have. */
export const isBuffer = (name: string): boolean => /(^|\.)(position_ids|num_batches_tracked|zero_k_bias)$/.test(name);

const floats: ReadonlySet<string> = new Set(['F32', 'F16', 'BF16']);
const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((d, i) => d === b[i]);

const matchOne =
  (stored: ReadonlyMap<string, StoredInfo>, shapeOf: Required<MatchOptions>['shapeOf']) =>
  (wanted: Matched): E.Either<Mismatch, Matched> => {
    const { name, spec } = wanted;
    const shape = shapeOf(name, spec.shape);
    const found = stored.get(name);
    if (found === undefined) return E.left({ _tag: 'Missing', name, shape });
    if (!sameShape(found.shape, shape)) return E.left({ _tag: 'Misshapen', name, wanted: shape, found: found.shape });
    return floats.has(found.dtype) ? E.right(wanted) : E.left({ _tag: 'NotFloat', name, dtype: found.dtype });
  };

/** A spec held against what is stored: each parameter has its tensor or is unmet, and some tensors are no parameter's. */
export interface Survey {
  readonly matched: readonly Matched[];
  readonly unmet: readonly { readonly wanted: Matched; readonly why: Mismatch }[];
  readonly extra: readonly Mismatch[];
  /** Stored tensors that may be left over, and are. */
  readonly ignored: readonly string[];
}

/** Every parameter of `spec` with the stored tensor that it takes, and all that do not meet. */
export const surveyParams = (spec: unknown, stored: ReadonlyMap<string, StoredInfo>, options: MatchBy = {}): Survey => {
  const {
    nameOf = (path) => path,
    shapeOf = (_, shape) => shape,
    ignore = isBuffer,
  } = typeof options === 'function' ? options(stored) : options;
  const wanted = namedSpecs(spec).map(({ path, spec: s }): Matched => ({ path, name: nameOf(path), spec: s }));
  const names = new Set(wanted.map(({ name }) => name));
  const met = wanted.map((w) => [w, matchOne(stored, shapeOf)(w)] as const);
  const over = [...stored].filter(([name]) => !names.has(name));
  const mayBe = ([name]: (typeof over)[number]): boolean => ignore(name) || isBuffer(name);
  return {
    matched: met.flatMap(([, found]) => (E.isRight(found) ? [found.right] : [])),
    unmet: met.flatMap(([w, found]) => (E.isLeft(found) ? [{ wanted: w, why: found.left }] : [])),
    extra: over.flatMap((o) => (mayBe(o) ? [] : [{ _tag: 'Extra', name: o[0], shape: o[1].shape } as const])),
    ignored: over.filter(mayBe).map(([name]) => name),
  };
};

/** Every parameter of `spec` with the stored tensor that it takes; or all that are missing, misshapen, of a wrong dtype, or extra. */
export const matchParams = (
  spec: unknown,
  stored: ReadonlyMap<string, StoredInfo>,
  options: MatchBy = {},
): E.Either<NEA.NonEmptyArray<Mismatch>, readonly Matched[]> => {
  const { matched, unmet, extra } = surveyParams(spec, stored, options);
  const faults = [...unmet.map(({ why }) => why), ...extra];
  return A.isNonEmpty(faults) ? E.left(faults) : E.right(matched);
};

const line = (m: Mismatch): string =>
  match(m)
    .with({ _tag: 'Missing' }, ({ name, shape }) => `missing    ${name} [${shape}]`)
    .with({ _tag: 'Misshapen' }, (e) => `misshapen  ${e.name} is [${e.found}], the model wants [${e.wanted}]`)
    .with({ _tag: 'NotFloat' }, ({ name, dtype }) => `not float  ${name} is ${dtype}, the model wants F32, F16 or BF16`)
    .with({ _tag: 'Extra' }, ({ name, shape }) => `extra      ${name} [${shape}] belongs to no parameter`)
    .exhaustive();

/** So many mismatches are shown: a file of another network has hundreds. */
const SHOWN = 20;

/** Mismatches for a person, one a line, and how many more there are. */
export const renderMismatches = (mismatches: readonly Mismatch[]): string =>
  [
    `${mismatches.length} tensors do not fit the model; is it the configuration of this checkpoint?`,
    ...mismatches.slice(0, SHOWN).map((m) => `  ${line(m)}`),
    ...(mismatches.length > SHOWN ? [`  and ${mismatches.length - SHOWN} more`] : []),
  ].join('\n');
