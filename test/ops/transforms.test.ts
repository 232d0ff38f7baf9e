// Transformations of functions on every backend.
import { testFamily } from '../support/family.ts';
import { transforms } from './cases/transforms.ts';

testFamily('transforms', transforms, {
  numRuns: 0,
  notSmooth: {
    customVjp: 'its gradient is not that of its value, on purpose',
    stopGradient: 'what it stops is missing from the gradient, on purpose',
  },
});
