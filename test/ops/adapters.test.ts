// Programs compiled as for other adapters than the one at hand: without half precision, subgroups and immediates, with few
// bindings; and with the choices made for a graphics card. Both run here, since they only ask for less or choose otherwise.
import type { Backend } from '../../src/runtime/backend.ts';
import { odd, single, testFamily } from '../support/family.ts';
import { attention, tiles } from './cases/attention.ts';
import { contract } from './cases/contract.ts';
import { elementwise } from './cases/elementwise.ts';
import { fused } from './cases/fused.ts';
import { indexing } from './cases/indexing.ts';
import { movement } from './cases/movement.ts';
import { reduce } from './cases/reduce.ts';
import { windows } from './cases/windows.ts';

const scalars = { position: 2 };
const modest = (b: Backend): Backend => ({
  ...b,
  caps: {
    ...b.caps,
    f16: false,
    subgroups: null,
    immediates: false,
    limits: {
      ...b.caps.limits,
      storageBuffers: 8,
      immediateBytes: 0,
      invocations: Math.min(128, b.caps.limits.invocations),
    },
    fingerprint: `${b.caps.fingerprint} modest`,
  },
});
const card = (b: Backend): Backend => ({
  ...b,
  caps: { ...b.caps, software: false, fingerprint: `${b.caps.fingerprint} card` },
});

const all = { ...elementwise, ...movement, ...reduce, ...indexing, ...fused, ...contract, ...windows, ...attention };
testFamily('a modest adapter', all, { scalars, always: [odd], numRuns: 0, adapter: modest });
testFamily('a modest adapter, attention', tiles, { scalars, always: [single], numRuns: 0, adapter: modest });
testFamily(
  'a graphics card',
  { ...fused, ...contract, ...windows, ...attention, ...reduce },
  {
    scalars,
    always: [odd],
    numRuns: 0,
    adapter: card,
  },
);
