// Values that a run starts from, from a user's files, under the names of a trainer's snapshot.
import * as TE from 'fp-ts/lib/TaskEither.js';
import { fileSource, hostSource, joinSources, renamed, type TensorSource } from '../../checkpoints/index.ts';
import { type DataError, safetensorsError } from '../../data/error.ts';
import { withSafetensors } from '../../data/safetensors/index.ts';
import { type NamedSpec, namedSpecs } from '../../dsl/param.ts';
import { publishedLayout } from '../../models/published.ts';
import type { VariantModel } from '../../models/variants/index.ts';
import { sections } from '../trainer/index.ts';
import { gridsOf, resizePositions } from './positions.ts';

interface Wanted {
  /** Its name in a snapshot. */
  readonly name: string;
  readonly path: string;
  readonly shape: readonly number[];
}

const wantedOf = (specs: readonly NamedSpec[], prefix: string): readonly Wanted[] =>
  specs.map(({ path, spec }) => ({ name: `${prefix}${path}`, path, shape: spec.shape }));

/** Running means as they stand behind a table that comes without them: one hit each. */
const behindTables = (tables: TensorSource): TensorSource => {
  const books = [...tables.shapes].flatMap(([name, shape]) =>
    name.startsWith(sections.extra) && name.endsWith('.codebook')
      ? [[name.replace(/codebook$/, ''), shape] as const]
      : [],
  );
  const ones = books.map(([book, shape]) => {
    const counts = { shape: shape.slice(0, 1), data: new Float32Array(shape[0]!).fill(1) };
    return [`${book}clusterSize`, counts] as const;
  });
  return joinSources(
    renamed(tables, new Map(books.map(([book]) => [`${book}embedEma`, `${book}codebook`]))),
    hostSource(new Map(ones)),
  );
};

export interface Started {
  /** By their names in a snapshot. */
  readonly tensors: TensorSource;
  /** Parameters that the file had, and that the model has. */
  readonly found: number;
  readonly of: number;
  /** Parts of the model of which nothing was there. */
  readonly missing: readonly string[];
  /** Grids of positions that were resized, as '8 x 8 to 16 x 16'. */
  readonly resized: readonly string[];
}

/**
 * What `path` holds of a task's parameters, its frozen ones and its state's tables, by name: a file of this project's, or one in a
 * published layout; positions of another grid of patches are resized. Left: the file cannot be read, none of its names fit, or a tensor
 * of a fitting name has another shape.
 */
export const startingWeights = (
  path: string,
  model: VariantModel,
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
    const { nameOf, shapeOf } = publishedLayout(model)(file.tensors);
    const found = all.flatMap((w) => {
      const stored = nameOf(w.path);
      const there = file.tensors.get(stored);
      if (there === undefined) return [];
      const fits = there.shape.join() === shapeOf(stored, w.shape).join();
      return [{ ...w, stored, fits, grids: fits ? null : gridsOf(w.path, there.shape, w.shape) }];
    });
    if (found.length === 0)
      return TE.left(safetensorsError(path, null, 'none of its tensors has the name of a parameter of this model'));
    const odd = found.find(({ fits, grids }) => !fits && grids === null);
    if (odd)
      return TE.left(
        safetensorsError(
          path,
          odd.stored,
          `is [${file.tensors.get(odd.stored)!.shape}], the model wants [${shapeOf(odd.stored, odd.shape)}]: change the variant, or name other weights`,
        ),
      );
    const partOf = ({ path: p }: Wanted) => p.split('.').slice(0, 2).join('.');
    const there = new Set(found.map(partOf));
    const tensors = fileSource(
      path,
      new Map(
        found.map(({ name, stored, shape, grids }) => [
          name,
          { stored, shape, make: grids ? resizePositions(grids) : undefined },
        ]),
      ),
    );
    const resized = found.flatMap(({ grids }) =>
      grids ? [`${grids.from} x ${grids.from} to ${grids.to} x ${grids.to}`] : [],
    );
    return TE.right({
      tensors: joinSources(behindTables(tensors), tensors),
      found: found.filter((w) => own.some(({ name }) => name === w.name)).length,
      of: own.length,
      missing: [...new Set(own.map(partOf))].filter((part) => !there.has(part)),
      resized: [...new Set(resized)],
    });
  });
