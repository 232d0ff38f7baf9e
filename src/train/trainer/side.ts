// What one player keeps on a device: its vectors and its own state; how they start, go to the host under their names, and come back.

import { joinSources, type NamedTensor, type Shapes, type TensorSource } from '../../checkpoints/index.ts';
import { initParams } from '../../dsl/init.ts';
import { zeros } from '../../dsl/ops/create.ts';
import { type Key, key } from '../../dsl/ops/random.ts';
import { type RavelLayout, ravel } from '../../dsl/ravel.ts';
import { type AnyTensor, type ScalarTensor, wrapAll } from '../../dsl/tensor.ts';
import { take } from '../../dsl/transform/tensors.ts';
import { once } from '../../runtime/once.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { type DeviceTensor, u32 } from '../../runtime/tensor.ts';
import type { Layouts } from './freeze.ts';
import { checkLayout, checkNamed, namedFromVector, tensorNamed } from './vectors.ts';

type Device = Pick<Runtime, 'compile' | 'upload'>;
type Tensors = readonly DeviceTensor[];

export interface SideState {
  readonly params: Tensors;
  readonly m: Tensors;
  readonly v: Tensors;
  readonly ema: Tensors;
  /** Parameters of the same spec that are not trained. */
  readonly fixed: Tensors;
  /** The player's own state. */
  readonly extra: Tensors;
}

/** Where a side's tensors lie in a snapshot: parameters under `params` and their paths, the rest under the other prefixes. */
export interface Names {
  readonly params: string;
  readonly m: string;
  readonly v: string;
  readonly ema: string;
  readonly extra: string;
}

export interface Side<P, Q> {
  readonly spec: P;
  readonly layouts: Layouts<P>;
  readonly initExtra: (key: Key) => Q;
  readonly names: Names;
  /** Whether a running mean of the weights is kept. */
  readonly ema: boolean;
}

const floats = async (t: DeviceTensor): Promise<Float32Array<ArrayBuffer>> => {
  const values = await t.read();
  if (!(values instanceof Float32Array)) throw new Error(`a state of dtype ${t.dtype} cannot be kept: use f32`);
  const { buffer } = values;
  // What is read is a copy already, and a large one; memory that is shared is none.
  return buffer instanceof ArrayBuffer
    ? new Float32Array(buffer, values.byteOffset, values.length)
    : new Float32Array(values);
};
export const freeAll = (tensors: Tensors): void => {
  for (const t of tensors) t.free();
};
export const freeSide = (s: SideState): void =>
  freeAll([...s.params, ...s.m, ...s.v, ...s.ema, ...s.fixed, ...s.extra]);

/** Paths and shapes of a player's own state. */
export const extraOf = <Q>(initExtra: (key: Key) => Q) => take(initExtra(zeros([2], 'u32')));

/** The vectors of a spec by its initialisers, on the device, each by a program of its own: drawing needs no memory beside them. */
export const drawVectors = async <P>(
  device: Pick<Device, 'compile'>,
  spec: P,
  layout: RavelLayout<P>,
  seed: number,
  path = '',
): Promise<Tensors> => {
  const made: DeviceTensor[] = [];
  for (const i of layout.groups.keys()) made.push(await drawVector(device, spec, layout, i, seed, path));
  return made;
};

/** Vector `i` of `drawVectors`. */
export const drawVector = async <P>(
  { compile }: Pick<Device, 'compile'>,
  spec: P,
  layout: RavelLayout<P>,
  i: number,
  seed: number,
  path = '',
): Promise<DeviceTensor> => {
  const draw = (root: ScalarTensor<'u32'>) =>
    ravel({ ...layout, groups: layout.groups.slice(i, i + 1) }, initParams(spec)({ key: key(root), path }));
  return once(compile(draw, { name: 'initialisation' }), async (run) => (await run(u32(seed)))[0]!);
};

/** Vectors of zeros, one after another: a large model's need as much memory as it has. */
const zeroVectors = async ({ upload }: Pick<Device, 'upload'>, layout: RavelLayout): Promise<Tensors> => {
  const made: DeviceTensor[] = [];
  for (const { length } of layout.groups) made.push(await upload(new Float32Array(length), [length]));
  return made;
};

/** Parameters by their initialisers, moments of zero, and the player's own start. */
export const startSide = async <P, Q>(device: Device, side: Side<P, Q>, seed: number): Promise<SideState> => {
  const { spec, layouts, names } = side;
  const path = names.params.replace(/\.$/, '');
  const own = (root: ScalarTensor<'u32'>): readonly AnyTensor[] => wrapAll(take(side.initExtra(key(root))).nodes);
  const draw = (layout: RavelLayout<P>) => drawVectors(device, spec, layout, seed, path);
  const hasState = extraOf(side.initExtra).nodes.length > 0;
  return {
    params: await draw(layouts.params),
    m: await zeroVectors(device, layouts.params),
    v: await zeroVectors(device, layouts.params),
    // A mean of the weights starts at the weights: equal draws.
    ema: side.ema ? await draw(layouts.params) : [],
    fixed: await draw(layouts.fixed),
    extra: hasState ? await once(device.compile(own, { name: 'initialisation' }), (run) => run(u32(seed))) : [],
  };
};

/** The parts of vectors under their paths after `prefix`, as they are on the device when they are read. */
export const vectorSource = (layout: RavelLayout, vectors: Tensors, prefix: string): TensorSource => {
  const parts = layout.groups.flatMap(({ entries }, i) =>
    entries.map(({ path, shape }) => [`${prefix}${path}`, { shape, vector: vectors[i]! }] as const),
  );
  const at = new Map(parts);
  return {
    shapes: new Map(parts.map(([name, { shape }]) => [name, shape])),
    read: async (names) => {
      const wanted = new Set(names);
      const found: (readonly [string, NamedTensor])[] = [];
      for (const [i, group] of layout.groups.entries()) {
        const entries = group.entries.filter(({ path }) => wanted.has(`${prefix}${path}`));
        if (entries.length > 0)
          found.push(...namedFromVector({ ...group, entries }, await floats(vectors[i]!), prefix));
      }
      return new Map(found);
    },
    pieceOf: (name) => at.get(name)?.vector,
  };
};

/** A player's own state under its paths after `prefix`. */
const stateSource = (paths: readonly string[], extra: Tensors, prefix: string): TensorSource => ({
  shapes: new Map(paths.map((path, i) => [`${prefix}${path}`, extra[i]!.shape])),
  read: async (names) => {
    const wanted = new Set(names);
    const found: (readonly [string, NamedTensor])[] = [];
    for (const [i, path] of paths.entries())
      if (wanted.has(`${prefix}${path}`))
        found.push([`${prefix}${path}`, { shape: extra[i]!.shape, data: await floats(extra[i]!) }]);
    return new Map(found);
  },
});

/** All that a side keeps, as it is on the device when it is read: until the next step. */
export const sideSource = <P, Q>({ layouts, names, initExtra }: Side<P, Q>, s: SideState): TensorSource =>
  joinSources(
    vectorSource(layouts.params, s.params, names.params),
    vectorSource(layouts.fixed, s.fixed, names.params),
    vectorSource(layouts.params, s.m, names.m),
    vectorSource(layouts.params, s.v, names.v),
    ...(s.ema.length > 0 ? [vectorSource(layouts.params, s.ema, names.ema)] : []),
    stateSource(extraOf(initExtra).paths, s.extra, names.extra),
  );

/**
 * `vectors` with the values that `source` has for them under `prefix`: all of them, or, with `some`, those that it has. Vectors that
 * change are freed, one after another. @throws TrainFailure naming a tensor that is missing or misshapen, before anything changes
 */
export const overlayVectors = async (
  { upload }: Pick<Device, 'upload'>,
  layout: RavelLayout,
  vectors: Tensors,
  source: TensorSource,
  prefix: string,
  some = false,
): Promise<Tensors> => {
  const wanted = layout.groups.map(({ entries }) =>
    entries.filter(({ path }) => !some || source.shapes.has(`${prefix}${path}`)),
  );
  for (const { path, shape } of wanted.flat()) checkNamed(source, `${prefix}${path}`, shape);
  const made: DeviceTensor[] = [];
  for (const [i, entries] of wanted.entries()) {
    const [old, group] = [vectors[i]!, layout.groups[i]!];
    if (entries.length === 0) {
      made.push(old);
      continue;
    }
    const values = entries.length === group.entries.length ? new Float32Array(group.length) : await floats(old);
    const parts = await source.read(entries.map(({ path }) => `${prefix}${path}`));
    for (const { path, shape, offset } of entries) values.set(tensorNamed(parts, `${prefix}${path}`, shape), offset);
    made.push(await upload(values, [group.length]));
    old.free();
  }
  return made;
};

/** A side's own state with the values that `source` has for it. @throws TrainFailure naming a tensor that is misshapen */
export const overlayExtra = async <P, Q>(
  { upload }: Pick<Device, 'upload'>,
  { names, initExtra }: Side<P, Q>,
  extra: Tensors,
  source: TensorSource,
): Promise<Tensors> => {
  const { paths, nodes } = extraOf(initExtra);
  const made: DeviceTensor[] = [];
  for (const [i, old] of extra.entries()) {
    const name = `${names.extra}${paths[i]!}`;
    if (!source.shapes.has(name)) {
      made.push(old);
      continue;
    }
    const { shape } = nodes[i]!;
    made.push(await upload(tensorNamed(await source.read([name]), name, shape), shape));
    old.free();
  }
  return made;
};

/** @throws TrainFailure naming a tensor that a snapshot lacks, or has in another shape */
export const checkSide = <P, Q>(
  { layouts, names, initExtra, ema }: Pick<Side<P, Q>, 'layouts' | 'names' | 'initExtra' | 'ema'>,
  source: Shapes,
): void => {
  checkLayout(layouts.params, source, names.params);
  checkLayout(layouts.fixed, source, names.params);
  checkLayout(layouts.params, source, names.m);
  checkLayout(layouts.params, source, names.v);
  if (ema) checkLayout(layouts.params, source, names.ema);
  const { paths, nodes } = extraOf(initExtra);
  for (const [i, path] of paths.entries()) checkNamed(source, `${names.extra}${path}`, nodes[i]!.shape);
};

/** A side as a snapshot, which has been checked, has it. */
export const restoreSide = async <P, Q>(
  device: Device,
  side: Side<P, Q>,
  s: SideState,
  source: TensorSource,
): Promise<SideState> => {
  const { layouts, names } = side;
  const over = (layout: RavelLayout, vectors: Tensors, prefix: string) =>
    overlayVectors(device, layout, vectors, source, prefix);
  return {
    params: await over(layouts.params, s.params, names.params),
    fixed: await over(layouts.fixed, s.fixed, names.params),
    m: await over(layouts.params, s.m, names.m),
    v: await over(layouts.params, s.v, names.v),
    ema: s.ema.length > 0 ? await over(layouts.params, s.ema, names.ema) : [],
    extra: await overlayExtra(device, side, s.extra, source),
  };
};
