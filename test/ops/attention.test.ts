// Attention and its gradient on every backend.
import { testFamily } from '../support/family.ts';
import { attention } from './cases/attention.ts';

testFamily('attention', attention, { scalars: { position: 2 } });
