// Gather, scatter, sorting, running sums, and slices at run-time positions on every backend.
import { testFamily } from '../support/family.ts';
import { indexing } from './cases/indexing.ts';

testFamily('indexing', indexing, { scalars: { position: 2 } });
