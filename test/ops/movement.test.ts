// Views, joining, slices and tensors from numbers on every backend.
import { testFamily } from '../support/family.ts';
import { movement } from './cases/movement.ts';

testFamily('movement', movement);
