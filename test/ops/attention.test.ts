// Attention and its gradient on every backend. Its shaders are the largest: few draws.
import { empty, odd, single, testFamily } from '../support/family.ts';
import { attention, tiles } from './cases/attention.ts';

const scalars = { position: 2 };
testFamily('attention', attention, { scalars, always: [empty, odd], numRuns: 0 });
testFamily('attention, tiles', tiles, {
  scalars,
  always: [single],
  numRuns: 0,
  onlyLarge: ['attention past the edges of tiles'],
});
