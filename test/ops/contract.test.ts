// Contractions on every backend.
import { testFamily } from '../support/family.ts';
import { contract } from './cases/contract.ts';

testFamily('contract', contract, { numRuns: 1, onlyLarge: ['past the edges of tiles'] });
