// Values that a run starts from, from a user's files, under the names of a trainer's snapshot.
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type DataError, safetensorsError } from '../data/error.ts';
import { withSafetensors } from '../data/safetensors/index.ts';
import { type NamedSpec, namedSpecs } from '../dsl/param.ts';
import { sections } from './sides.ts';
import type { NamedTensor, NamedTensors } from './vectors.ts';

/** Names that a file may have for a parameter: its own, or, in a tower's file, without the model around it. */
const namesFor = (path: string): readonly string[] => [path, path.replace(/^siglip_model\./, '')];

interface Wanted {
  /** Its name in a snapshot. */
  readonly name: string;
  readonly path: string;
  readonly shape: readonly number[];
}

const wantedOf = (specs: readonly NamedSpec[], prefix: string): readonly Wanted[] =>
  specs.map(({ path, spec }) => ({ name: `${prefix}${path}`, path, shape: spec.shape }));

/** Running means as they stand behind a table that comes without them: one hit each. */
const behindTables = (tensors: readonly (readonly [string, NamedTensor])[]): NamedTensors =>
  new Map(
    tensors.flatMap(([name, t]) => {
      const book = name.replace(/codebook$/, '');
      return name.startsWith(sections.extra) && name.endsWith('.codebook')
        ? [
            [`${book}embedEma`, { shape: t.shape, data: t.data }] as const,
            [
              `${book}clusterSize`,
              { shape: t.shape.slice(0, 1), data: new Float32Array(t.shape[0]!).fill(1) },
            ] as const,
          ]
        : [];
    }),
  );

export interface Started {
  readonly tensors: NamedTensors;
  /** Parameters that the file had, and that the model has. */
  readonly found: number;
  readonly of: number;
  /** Parts of the model of which nothing was there. */
  readonly missing: readonly string[];
}

/**
 * What `path` holds of a task's parameters, its frozen ones and its state's tables, by name. Left: the file cannot be read, none of
 * its names fit, or a tensor of a fitting name has another shape.
 */
export const startingWeights = (
  path: string,
  task: { readonly spec: unknown; readonly frozenSpec: unknown },
  stateSpec: unknown,
): TE.TaskEither<DataError, Started> =>
  withSafetensors(path)((file) => {
    const own = wantedOf(namedSpecs(task.spec), '');
    const all = [
      ...own,
      ...wantedOf(namedSpecs(task.frozenSpec), sections.frozen),
      ...wantedOf(namedSpecs(stateSpec), sections.extra),
    ];
    const found = all.flatMap((w) => {
      const name = namesFor(w.path).find((n) => file.tensors.has(n));
      return name === undefined ? [] : [{ ...w, stored: name }];
    });
    if (found.length === 0)
      return TE.left(safetensorsError(path, null, 'none of its tensors has the name of a parameter of this model'));
    const odd = found.find(({ stored, shape }) => file.tensors.get(stored)!.shape.join() !== shape.join());
    if (odd)
      return TE.left(
        safetensorsError(
          path,
          odd.stored,
          `is [${file.tensors.get(odd.stored)!.shape}], the model wants [${odd.shape}]: change the variant, or name other weights`,
        ),
      );
    const partOf = ({ path: p }: Wanted) => p.split('.').slice(0, 2).join('.');
    const there = new Set(found.map(partOf));
    return pipe(
      found,
      TE.traverseSeqArray(({ stored, name }) =>
        pipe(
          file.floats(stored),
          TE.map((values) => [name, values] as const),
        ),
      ),
      TE.map((tensors) => ({
        tensors: new Map([...behindTables(tensors), ...tensors]),
        found: found.filter((w) => own.some(({ name }) => name === w.name)).length,
        of: own.length,
        missing: [...new Set(own.map(partOf))].filter((part) => !there.has(part)),
      })),
    );
  });
