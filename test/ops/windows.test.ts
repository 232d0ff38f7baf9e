// Convolution, pooling and resizing on every backend.
import { testFamily } from '../support/family.ts';
import { windows } from './cases/windows.ts';

testFamily('windows', windows, { numRuns: 1, onlyLarge: ['conv2d past the edges of tiles'] });
