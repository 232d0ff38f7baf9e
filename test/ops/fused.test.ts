// Softmax, norms, cross entropy and nearest code on every backend.
import { testFamily } from '../support/family.ts';
import { fused } from './cases/fused.ts';

testFamily('fused', fused, { numRuns: 1, onlyLarge: ['long rows'] });
