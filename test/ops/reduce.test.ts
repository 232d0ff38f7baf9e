// Reductions on every backend.
import { testFamily } from '../support/family.ts';
import { reduce } from './cases/reduce.ts';

testFamily('reduce', reduce, {
  onlyLarge: ['sum of long rows'],
  notSmooth: { 'extremes that are infinite': 'next to infinity there is nothing to differ from' },
});
