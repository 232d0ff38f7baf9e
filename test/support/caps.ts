// Devices that tests compile for without having them.
import type { Caps } from '../../src/compiler/ir/caps.ts';
import { openNull } from '../../src/runtime/null.ts';

/** A plausible graphics card. */
export const hardwareCaps: Caps = openNull().caps;

/** The software adapter that tests run on, as it describes itself. */
export const softwareCaps: Caps = {
  ...hardwareCaps,
  software: true,
  subgroups: { min: 8, max: 8 },
  limits: { ...hardwareCaps.limits, binding: 2 ** 27, storageBuffers: 16 },
  name: 'software',
  fingerprint: 'software',
};
