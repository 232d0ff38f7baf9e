// Devices that tests compile for without having them.
import type { Caps } from '../../src/compiler/ir/caps.ts';
import { openNull } from '../../src/runtime/null.ts';

/** A plausible graphics card. */
export const hardwareCaps: Caps = openNull().caps;

/** The software adapter that tests run on, as it describes itself. */
export const softwareCaps: Caps = {
  ...hardwareCaps,
  software: true,
  unrolls: true,
  subgroups: { min: 8, max: 8 },
  limits: { ...hardwareCaps.limits, binding: 2 ** 27, storageBuffers: 16 },
  name: 'software',
  fingerprint: 'software',
};

const card = (name: string, caps: Partial<Caps>): Caps => ({ ...hardwareCaps, ...caps, name, fingerprint: name });

/** The matrices of floats that a graphics card's subgroups multiply, as Dawn lists them. */
const matrices = (M: number, N: number, K: number, ...kinds: readonly string[]): Caps['subgroupMatrices'] =>
  kinds.map((kind) => {
    const [component, result] = kind.split(' ').map((s) => (s === 'f16' ? 'f16' : 'f32'));
    return { component: component!, result: result!, M, N, K };
  });

/** Graphics cards as their makers build them; what they are called says what tells them apart. */
export const cards: readonly Caps[] = [
  card('32 lanes', { limits: { ...hardwareCaps.limits, workgroupBytes: 49152 } }),
  card('64 lanes of a phone', { vendor: 'qualcomm', subgroups: { min: 64, max: 64 } }),
  card('64 lanes', { subgroups: { min: 64, max: 64 } }),
  card('32 or 64 lanes, to be chosen', { subgroups: { min: 32, max: 64, set: 32 } }),
  card('16 to 32 lanes', { subgroups: { min: 16, max: 32 } }),
  card('16 to 32 lanes, to be chosen', { subgroups: { min: 16, max: 32, set: 16 } }),
  card('no subgroups, no f16, small limits', {
    f16: false,
    subgroups: null,
    limits: {
      ...hardwareCaps.limits,
      binding: 2 ** 27,
      storageBuffers: 8,
      workgroupBytes: 16384,
      invocations: 256,
      immediateBytes: 0,
    },
  }),
  card('32 lanes, matrices 8x8x8', { subgroupMatrices: matrices(8, 8, 8, 'f32 f32', 'f16 f16') }),
  card('32 lanes, matrices 16x16x16', { subgroupMatrices: matrices(16, 16, 16, 'f16 f16', 'f16 f32') }),
  card('16 lanes, matrices 8x16x16', {
    subgroups: { min: 16, max: 32, set: 16 },
    subgroupMatrices: matrices(8, 16, 16, 'f16 f32'),
  }),
];
