// Elementwise operations and activation functions on every backend.
import { testFamily } from '../support/family.ts';
import { elementwise } from './cases/elementwise.ts';

testFamily('elementwise', elementwise, {
  notSmooth: {
    cast: 'rounding to f16 and back has the gradient of the identity',
    'powers of zero': 'beside an exponent of 0, where it is negative, they are infinite',
    bitcast: 'the bits of a number have no gradient',
  },
});
