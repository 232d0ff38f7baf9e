// Programs compiled as for a lesser adapter than the one at hand: without half precision, subgroups and immediates, with eight
// bindings and small workgroups. They run here, since they only ask for less.
import type { Backend } from '../../src/runtime/backend.ts';
import { odd, testFamily } from '../support/family.ts';
import { attention } from './cases/attention.ts';
import { contract } from './cases/contract.ts';
import { fused } from './cases/fused.ts';
import { indexing } from './cases/indexing.ts';
import { reduce } from './cases/reduce.ts';
import { windows } from './cases/windows.ts';

const modest = (b: Backend): Backend => ({
  ...b,
  caps: {
    ...b.caps,
    f16: false,
    subgroups: null,
    limits: {
      ...b.caps.limits,
      storageBuffers: 8,
      immediateBytes: 0,
      invocations: Math.min(128, b.caps.limits.invocations),
    },
    fingerprint: `${b.caps.fingerprint} modest`,
  },
});

testFamily(
  'a modest adapter',
  { ...reduce, ...indexing, ...fused, ...contract, ...windows, ...attention },
  { scalars: { position: 2 }, always: [odd], numRuns: 0, adapter: modest },
);
