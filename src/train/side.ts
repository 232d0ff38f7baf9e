// What one player keeps on a device: its vectors and its own state; how they start, go to the host under their names, and come back.
import { initParams } from '../dsl/init.ts';
import { zeros } from '../dsl/ops/create.ts';
import { type Key, key } from '../dsl/ops/random.ts';
import { type RavelLayout, ravel } from '../dsl/ravel.ts';
import { type AnyTensor, type ScalarTensor, wrapAll } from '../dsl/tensor.ts';
import { take } from '../dsl/transform/tensors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { type DeviceTensor, u32 } from '../runtime/tensor.ts';
import type { Layouts } from './freeze.ts';
import { checkNamed, type NamedTensor, type NamedTensors, namedFromVectors, tensorNamed } from './vectors.ts';

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
  return new Float32Array(values);
};
export const freeAll = (tensors: Tensors): void => {
  for (const t of tensors) t.free();
};
export const freeSide = (s: SideState): void =>
  freeAll([...s.params, ...s.m, ...s.v, ...s.ema, ...s.fixed, ...s.extra]);

/** Paths and shapes of a player's own state. */
export const extraOf = <Q>(initExtra: (key: Key) => Q) => take(initExtra(zeros([2], 'u32')));

/** Vectors of a spec by its initialisers, on the device. */
export const drawVectors = async <P>(
  { compile }: Pick<Device, 'compile'>,
  spec: P,
  layout: RavelLayout<P>,
  seed: number,
  path = '',
): Promise<Tensors> => {
  if (layout.groups.length === 0) return [];
  const draw = (root: ScalarTensor<'u32'>) => ravel(layout, initParams(spec)({ key: key(root), path }));
  return compile(draw, { name: 'initialisation' })(u32(seed));
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
    extra: hasState ? await device.compile(own, { name: 'initialisation' })(u32(seed)) : [],
  };
};

/** `vectors` as a map of names to host tensors. */
export const namedOf = async (
  layout: RavelLayout,
  vectors: Tensors,
  prefix: string,
): Promise<readonly (readonly [string, NamedTensor])[]> =>
  namedFromVectors(layout, await Promise.all(vectors.map(floats)), prefix);

export const snapshotSide = async <P, Q>(
  { layouts, names, initExtra }: Side<P, Q>,
  s: SideState,
): Promise<readonly (readonly [string, NamedTensor])[]> => {
  const { paths } = extraOf(initExtra);
  const extra = await Promise.all(s.extra.map(floats));
  return [
    ...(await namedOf(layouts.params, s.params, names.params)),
    ...(await namedOf(layouts.fixed, s.fixed, names.params)),
    ...(await namedOf(layouts.params, s.m, names.m)),
    ...(await namedOf(layouts.params, s.v, names.v)),
    ...(s.ema.length > 0 ? await namedOf(layouts.params, s.ema, names.ema) : []),
    ...extra.map((data, i) => [`${names.extra}${paths[i]!}`, { shape: s.extra[i]!.shape, data }] as const),
  ];
};

/**
 * `vectors` with the values that `tensors` has for them under `prefix`: all of them, or, with `some`, those that it has. Vectors that
 * change are freed. @throws TrainFailure naming a tensor that is missing or misshapen
 */
export const overlayVectors = async (
  { upload }: Pick<Device, 'upload'>,
  layout: RavelLayout,
  vectors: Tensors,
  tensors: NamedTensors,
  prefix: string,
  some = false,
): Promise<Tensors> => {
  // Everything is looked up before anything is replaced: a snapshot of another model leaves the state as it was.
  const found = layout.groups.map(({ entries }) =>
    entries
      .filter(({ path }) => !some || tensors.has(`${prefix}${path}`))
      .map((e) => ({ offset: e.offset, data: tensorNamed(tensors, `${prefix}${e.path}`, e.shape) })),
  );
  const made: DeviceTensor[] = [];
  for (const [i, parts] of found.entries()) {
    const [old, { entries, length }] = [vectors[i]!, layout.groups[i]!];
    if (parts.length === 0) {
      made.push(old);
      continue;
    }
    const values = parts.length === entries.length ? new Float32Array(length) : await floats(old);
    for (const { offset, data } of parts) values.set(data, offset);
    made.push(await upload(values, [length]));
  }
  freeAll(vectors.filter((old, i) => made[i] !== old));
  return made;
};

/** A side's own state with the values that `tensors` has for it. @throws TrainFailure naming a tensor that is misshapen */
export const overlayExtra = async <P, Q>(
  { upload }: Pick<Device, 'upload'>,
  { names, initExtra }: Side<P, Q>,
  extra: Tensors,
  tensors: NamedTensors,
): Promise<Tensors> => {
  const { paths, nodes } = extraOf(initExtra);
  const made = await Promise.all(
    extra.map(async (old, i) => {
      const name = `${names.extra}${paths[i]!}`;
      return tensors.has(name) ? upload(tensorNamed(tensors, name, nodes[i]!.shape), nodes[i]!.shape) : old;
    }),
  );
  freeAll(extra.filter((old, i) => made[i] !== old));
  return made;
};

/** @throws TrainFailure naming a tensor that a snapshot lacks, or has in another shape */
export const checkSide = <P, Q>(
  { layouts, names, initExtra, ema }: Pick<Side<P, Q>, 'layouts' | 'names' | 'initExtra' | 'ema'>,
  tensors: NamedTensors,
): void => {
  checkNamed(layouts.params, tensors, names.params);
  checkNamed(layouts.fixed, tensors, names.params);
  checkNamed(layouts.params, tensors, names.m);
  checkNamed(layouts.params, tensors, names.v);
  if (ema) checkNamed(layouts.params, tensors, names.ema);
  const { paths, nodes } = extraOf(initExtra);
  for (const [i, path] of paths.entries()) tensorNamed(tensors, `${names.extra}${path}`, nodes[i]!.shape);
};

/** A side as a snapshot, which has been checked, has it. */
export const restoreSide = async <P, Q>(
  device: Device,
  { layouts, names, initExtra }: Side<P, Q>,
  s: SideState,
  tensors: NamedTensors,
): Promise<SideState> => {
  const { paths, nodes } = extraOf(initExtra);
  const over = (layout: RavelLayout, vectors: Tensors, prefix: string) =>
    overlayVectors(device, layout, vectors, tensors, prefix);
  const made = {
    params: await over(layouts.params, s.params, names.params),
    fixed: await over(layouts.fixed, s.fixed, names.params),
    m: await over(layouts.params, s.m, names.m),
    v: await over(layouts.params, s.v, names.v),
    ema: s.ema.length > 0 ? await over(layouts.params, s.ema, names.ema) : [],
    extra: await Promise.all(
      paths.map((path, i) =>
        device.upload(tensorNamed(tensors, `${names.extra}${path}`, nodes[i]!.shape), nodes[i]!.shape),
      ),
    ),
  };
  freeAll(s.extra);
  return made;
};
