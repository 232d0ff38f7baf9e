// Subgroups of an adapter: the size that kernels ask for where there are several, and the matrices that a subgroup multiplies.
import type { Caps, SubgroupMatrix } from '../../compiler/ir/caps.ts';
import { badInput } from '../attempt.ts';

/** Chromium's experimental feature, which Dawn offers with `allow_unsafe_apis` alone. */
export const MATRIX_FEATURE = 'chromium-experimental-subgroup-matrix';

const VARIABLE = 'DUALTOKEN_SUBGROUP_MATRIX';

/** Whether the user asked for subgroup matrices in Node. Throws BadInput for what is neither 0 nor 1. */
export const matricesAsked = (): boolean => {
  const asked = process.env[VARIABLE] ?? '';
  if (!['', '0', '1'].includes(asked))
    throw badInput(
      `${VARIABLE} is '${asked}': set it to 1 to use subgroup matrices where the adapter has them, or to 0`,
    );
  return asked === '1';
};

/** Lanes below which a subgroup is too narrow; wider ones have fewer registers each. */
const WIDE_ENOUGH = 16;

/** The smallest size of a range that is wide enough: the machine's own, where larger ones are made of several. */
const sizeIn = (min: number, max: number): number => {
  let size = min;
  while (size < WIDE_ENOUGH && size * 2 <= max) size *= 2;
  return size;
};

/** The device's subgroups; `features` are those that it was opened with. */
export const subgroupsOf = (
  features: ReadonlySet<string>,
  info: Pick<GPUAdapterInfo, 'subgroupMinSize' | 'subgroupMaxSize'>,
): Caps['subgroups'] => {
  if (!features.has('subgroups')) return null;
  const [min, max] = [info.subgroupMinSize ?? 4, info.subgroupMaxSize ?? 128];
  return min < max && features.has('subgroup-size-control') ? { min, max, set: sizeIn(min, max) } : { min, max };
};

const isScalar = (x: unknown): x is SubgroupMatrix['component'] => x === 'f32' || x === 'f16';

/** A configuration as the adapter describes it, or null where it is of integers or for subgroups of another size. */
const matrixOf = (config: object, lanes: number): SubgroupMatrix | null => {
  const number = (name: string): number => Number(Reflect.get(config, name) ?? Number.NaN);
  const [component, result]: readonly unknown[] = [
    Reflect.get(config, 'componentType'),
    Reflect.get(config, 'resultComponentType'),
  ];
  const [M, N, K] = [number('M'), number('N'), number('K')];
  // NaN, where an adapter does not say for which sizes it is, compares as false.
  const elsewhere = lanes < number('minSubgroupSize') || lanes > number('maxSubgroupSize');
  if (!isScalar(component) || !isScalar(result) || !(M > 0 && N > 0 && K > 0) || elsewhere) return null;
  return { component, result, M, N, K };
};

/** The matrices of floats that the device's subgroups multiply. */
export const matricesOf = (
  features: ReadonlySet<string>,
  info: object,
  subgroups: Caps['subgroups'],
): readonly SubgroupMatrix[] => {
  const configs: unknown = Reflect.get(info, 'subgroupMatrixConfigs');
  if (!features.has(MATRIX_FEATURE) || !subgroups || !Array.isArray(configs)) return [];
  const lanes = subgroups.set ?? subgroups.max;
  return configs.flatMap((c: unknown) => (typeof c === 'object' && c !== null ? (matrixOf(c, lanes) ?? []) : []));
};
