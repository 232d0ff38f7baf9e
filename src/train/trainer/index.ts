// A task on a device, step by step. Read in this order: freeze, vectors, side, sides: what is kept; player, players: programs; turn, round:
// a step of one side and of both; trainer. step-graph is a step without a run.
export { type Layouts, stillIn } from './freeze.ts';
export type { OptimizerOptions } from './players.ts';
export type { ImageBatch, Rates, RoundOptions, StepMetrics } from './round.ts';
export { extraOf, type SideState } from './side.ts';
export { checkSnapshot, type SideChoices, type Sides, sections, sidesOf } from './sides.ts';
export { type StepGraph, stepGraph } from './step-graph.ts';
export { openTrainer, type Trainer, type TrainerOptions } from './trainer.ts';
