// Convolution, pooling and resizing on every backend.
import { testFamily } from '../support/family.ts';
import { windows } from './cases/windows.ts';

testFamily('windows', windows);
