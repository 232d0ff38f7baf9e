// What a kind of golden case is: a function from the case to its outputs, with a way to compute tensors.
import type { AnyTensor } from '../../src/dsl/tensor.ts';
import type { GoldenCase } from './case.ts';
import type { Computed } from './compare.ts';

/** Computes tensors that close over their data. */
export type Evaluate = (outputs: Readonly<Record<string, AnyTensor>>) => Promise<ReadonlyMap<string, Computed>>;
/** The outputs of a case, by the names that it gives them. */
export type Kind = (c: GoldenCase, evaluate: Evaluate) => Promise<ReadonlyMap<string, Computed>>;
