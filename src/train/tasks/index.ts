// What is learned. Read in this order: task, adversary, picture, tokenizer.
export type { AdversarySpec, AdversaryState } from './adversary.ts';
export type { Adversary, LossInputs, LossResult, Pair, Task, TrainBatch } from './task.ts';
export { type TokenizerFrozen, type TokenizerTaskOptions, tokenizerTask } from './tokenizer.ts';
