// Training and trained models. Read in this order: schedule, adamw, clip, optimise, step, trainer, loop; tokenizer-task says what the
// tokenizer learns from; checkpoint, log and config are a run's files; load-checkpoint and tokenizer bring weights in.
export { type AdamWOptions, adamw, adamwScalars } from './adamw.ts';
export { clipByGlobalNorm, globalNorm } from './clip.ts';
export { parseTrainConfig, type TrainConfig, type TrainConfigInput } from './config.ts';
export { hostParams, loadNamed, loadParams } from './load-checkpoint.ts';
export { type LoopOptions, type Progress, TrainFailure, trainLoop } from './loop.ts';
export { type Schedule, schedule } from './schedule.ts';
export type { LossInputs, LossResult, Task, TrainState } from './step.ts';
export { openTokenizer, type Tokenizer, tokenizerSpec, writeTokenizer } from './tokenizer.ts';
export { type LossWeights, tokenizerTask } from './tokenizer-task.ts';
export { openTrainer, type StepMetrics, type Trainer } from './trainer.ts';
