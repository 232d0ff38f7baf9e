// Parameters of a model from published weights: names matched against its spec, values converted to f32.
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type DataError, safetensorsError } from '../data/error.ts';
import { withSafetensors } from '../data/safetensors/index.ts';
import { isParamSpec, type ParamSpec, type ParamsOf } from '../dsl/param.ts';
import { flatten } from '../dsl/tree.ts';
import { type MatchBy, matchParams, renderMismatches } from '../models/load.ts';
import type { Values } from '../runtime/jit.ts';
import { HostTensor } from '../runtime/tensor.ts';
import { firstValues, type NamedTensors } from './named-tensors.ts';

/**
 * The values of every parameter of `spec` by its path, as f32, from a .safetensors file, an index of shards or a folder. Left: all
 * tensors that are missing, misshapen, not floats or extra at once; or the first value that can't be read.
 */
export const loadNamed = (path: string, spec: unknown, options?: MatchBy): TE.TaskEither<DataError, NamedTensors> =>
  withSafetensors(path)((file) =>
    pipe(
      matchParams(spec, file.tensors, options),
      E.mapLeft((faults) => safetensorsError(path, null, renderMismatches(faults))),
      TE.fromEither,
      TE.chain(
        TE.traverseSeqArray(({ path: at, name, spec: { shape } }) =>
          pipe(
            file.floats(name),
            TE.map((values) => [at, firstValues(values, shape)] as const),
          ),
        ),
      ),
      TE.map((entries) => new Map(entries)),
    ),
  );

/** Named values as the arguments of a compiled function. Throws Error naming a parameter that is missing. */
export const hostParams = <P>(spec: P, named: NamedTensors): Values<ParamsOf<P>> => {
  const flat = flatten<ParamSpec>(spec, isParamSpec);
  const values = flat.leaves.map(({ path, value }) => {
    const found = named.get(path);
    if (found === undefined) throw new Error(`there is no value for the parameter '${path}'`);
    return new HostTensor(found.data, value.shape, 'f32');
  });
  // Rebuilt by the spec's own form.
  return flat.rebuild<Values<ParamsOf<P>>>(values);
};

/** `loadNamed` as the arguments of a compiled function. */
export const loadParams = <P>(
  path: string,
  spec: P,
  options?: MatchBy,
): TE.TaskEither<DataError, Values<ParamsOf<P>>> =>
  pipe(
    loadNamed(path, spec, options),
    TE.map((named) => hostParams(spec, named)),
  );
