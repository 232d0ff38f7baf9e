// Matches the tensors of a checkpoint against a spec by name and shape, and reports everything that does not fit at once.
import * as A from 'fp-ts/lib/Array.js';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as NEA from 'fp-ts/lib/NonEmptyArray.js';
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
  (stored: ReadonlyMap<string, StoredInfo>) =>
  (wanted: Matched): E.Either<NEA.NonEmptyArray<Mismatch>, Matched> => {
    const { name, spec } = wanted;
    const found = stored.get(name);
    if (found === undefined) return E.left([{ _tag: 'Missing', name, shape: spec.shape }]);
    if (!sameShape(found.shape, spec.shape))
      return E.left([{ _tag: 'Misshapen', name, wanted: spec.shape, found: found.shape }]);
    return floats.has(found.dtype) ? E.right(wanted) : E.left([{ _tag: 'NotFloat', name, dtype: found.dtype }]);
  };

/** Every parameter of `spec` with the stored tensor that it takes; or all that are missing, misshapen, of a wrong dtype, or extra. */
export const matchParams = (
  spec: unknown,
  stored: ReadonlyMap<string, StoredInfo>,
  options: MatchBy = {},
): E.Either<NEA.NonEmptyArray<Mismatch>, readonly Matched[]> => {
  const { nameOf = (path) => path, ignore = isBuffer } = typeof options === 'function' ? options(stored) : options;
  const wanted = namedSpecs(spec).map(({ path, spec: s }): Matched => ({ path, name: nameOf(path), spec: s }));
  const names = new Set(wanted.map(({ name }) => name));
  const extra = [...stored].flatMap(([name, { shape }]): Mismatch[] =>
    names.has(name) || ignore(name) || isBuffer(name) ? [] : [{ _tag: 'Extra', name, shape }],
  );
  const all = E.getApplicativeValidation(NEA.getSemigroup<Mismatch>());
  return pipe([...wanted], A.traverse(all)(matchOne(stored)), (matched) =>
    all.ap(E.map((ms: Matched[]) => (_: null) => ms)(matched), A.isNonEmpty(extra) ? E.left(extra) : E.right(null)),
  );
};

const line = (m: Mismatch): string =>
  match(m)
    .with({ _tag: 'Missing' }, ({ name, shape }) => `missing    ${name} [${shape}]`)
    .with({ _tag: 'Misshapen' }, (e) => `misshapen  ${e.name} is [${e.found}], the model wants [${e.wanted}]`)
    .with({ _tag: 'NotFloat' }, ({ name, dtype }) => `not float  ${name} is ${dtype}, the model wants F32, F16 or BF16`)
    .with({ _tag: 'Extra' }, ({ name, shape }) => `extra      ${name} [${shape}] belongs to no parameter`)
    .exhaustive();

/** All mismatches for a person, one a line. */
export const renderMismatches = (mismatches: readonly Mismatch[]): string =>
  [
    `${mismatches.length} tensors do not fit the model; is it the configuration of this checkpoint?`,
    ...mismatches.map((m) => `  ${line(m)}`),
  ].join('\n');
