// Reductions on every backend.
import { testFamily } from '../support/family.ts';
import { reduce } from './cases/reduce.ts';

testFamily('reduce', reduce, { onlyLarge: ['sum of long rows'] });
