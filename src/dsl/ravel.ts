// A parameter tree laid out in a few flat vectors, so that an optimiser is a handful of kernels and not one a parameter.
// Parameters are then views of the vectors; gradients are written straight into theirs.
import * as B from './core/build.ts';
import { bytesOf } from './core/dtype.ts';
import { DslError } from './core/error.ts';
import { sizeOf } from './core/node.ts';
import { isParamSpec, type ParamSpec, type ParamsOf } from './param.ts';
import type { Rank1 } from './shape.ts';
import { isTensor, type Tensor, unwrap, wrap } from './tensor.ts';
import { flatten } from './tree.ts';

/** Parts start at multiples of 64 elements: 256 bytes, which is what a buffer may be bound at. */
const ALIGN = 64;

export interface RavelEntry {
  readonly path: string;
  readonly shape: readonly number[];
  /** First element in the group's vector. */
  readonly offset: number;
  readonly size: number;
}
export interface RavelGroup {
  readonly name: string;
  readonly entries: readonly RavelEntry[];
  /** Elements of the vector, gaps included. */
  readonly length: number;
}
export interface RavelLayout<T = unknown> {
  readonly groups: readonly RavelGroup[];
  /** The spec that it was made from. */
  readonly spec: T;
}
export type Flats = readonly Tensor<Rank1>[];

const aligned = (n: number): number => Math.ceil(n / ALIGN) * ALIGN;

/**
 * Lays the parameters of `spec` out in vectors: those with equal `groupOf` share one, up to `maxBytes` each (default 128 MiB, which
 * one binding holds everywhere). Parameters that `groupOf` maps to null are left out (frozen ones).
 */
export const ravelLayout = <T>(
  spec: T,
  groupOf: (spec: ParamSpec, path: string) => string | null = (s) =>
    s.tags.includes('frozen') ? null : s.tags.includes('noDecay') ? 'noDecay' : 'decay',
  maxBytes = 2 ** 27,
): RavelLayout<T> => {
  const open = new Map<string, { name: string; entries: RavelEntry[]; length: number }>();
  const done: RavelGroup[] = [];
  for (const { path, value } of flatten(spec, isParamSpec).leaves) {
    const name = groupOf(value, path);
    if (name === null) continue;
    const size = sizeOf(value.shape);
    let group = open.get(name);
    if (group && (group.length + size) * bytesOf[value.dtype] > maxBytes) {
      done.push(group);
      group = undefined;
    }
    group ??= { name, entries: [], length: 0 };
    open.set(name, group);
    group.entries.push({ path, shape: value.shape, offset: group.length, size });
    group.length += aligned(size);
  }
  return { groups: [...done, ...open.values()], spec };
};

/** The parameters in the vectors, by path: views of them. */
export const views = (layout: RavelLayout, flats: Flats): ReadonlyMap<string, Tensor<readonly number[]>> =>
  new Map(
    layout.groups.flatMap((g, i) => {
      const flat = unwrap(flats[i]!);
      return g.entries.map(
        (e) => [e.path, wrap(B.reshape(B.slice(flat, [e.offset], [e.offset + e.size]), e.shape))] as const,
      );
    }),
  );

/** The parameter tree as views of the vectors. `rest` supplies the parameters that the layout leaves out. Throws DslError naming one that nobody supplies. */
export const unravel = <T>(
  layout: RavelLayout<T>,
  flats: Flats,
  rest: ReadonlyMap<string, Tensor<readonly number[]>> = new Map(),
): ParamsOf<T> => {
  const own = views(layout, flats);
  const flat = flatten(layout.spec, isParamSpec);
  return flat.rebuild<ParamsOf<T>>(
    flat.leaves.map(({ path }) => {
      const value = own.get(path) ?? rest.get(path);
      if (value === undefined) throw new DslError('unravel', `no value for the parameter '${path}'`);
      return value;
    }),
  );
};

/** The vectors of a tree of tensors: of gradients, or of starting values. Gaps are zero. */
export const ravel = (layout: RavelLayout, tree: unknown): Flats => {
  const at = new Map(flatten(tree, isTensor).leaves.map((l) => [l.path, unwrap(l.value)]));
  return layout.groups.map((g) =>
    wrap(
      B.concat(
        g.entries.map((e) => {
          const x = at.get(e.path);
          if (!x) throw new DslError('ravel', `the tree has no '${e.path}'`);
          if (sizeOf(x.shape) !== e.size)
            throw new DslError('ravel', `'${e.path}' is [${x.shape}], the layout has [${e.shape}]`, [
              { name: 'x', node: x },
            ]);
          return B.pad(B.reshape(x, [e.size]), [0], [aligned(e.size) - e.size]);
        }),
        0,
      ),
    ),
  );
};
