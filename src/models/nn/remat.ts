// Blocks whose insides the backward pass computes again: gradient checkpointing.
import { checkpoint } from '../../dsl/transform/index.ts';
import type { Maps } from './conv2d.ts';

type Step = (x: Maps) => Maps;

/** Steps as they are, or, with `remat`, such that only their inputs are kept for the backward pass. */
export const kept = (remat: boolean): ((f: Step) => Step) => (remat ? (f) => checkpoint(f) : (f) => f);
