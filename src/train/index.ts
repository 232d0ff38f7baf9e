// Training and trained models. Read in this order: schedule, adam, clip, optimise, task, player, turn, side, sides, trainer, loop;
// tasks/ say what is learned; config, loss-faults, prepare and run make a run of it; checkpoint, log, record and report/ are its files;
// source and vectors are how tensors go by name; load-checkpoint, place, load-mobilenet, starting-weights and tokenizer bring weights in.
export { type AdamOptions, adam, adamScalars } from './adam.ts';
export { clipByGlobalNorm, globalNorm } from './clip.ts';
export { defineConfig, parseTrainConfig, type TrainConfig, type TrainConfigInput } from './config.ts';
export { TrainFailure } from './failure.ts';
export { hostParams, loadNamed, loadParams } from './load-checkpoint.ts';
export { loadMobileNetV2 } from './load-mobilenet.ts';
export { type LoopOptions, type Progress, trainLoop } from './loop.ts';
export { type Schedule, schedule } from './schedule.ts';
export { fileSource, hostSource, readAll, type TensorSource, wholeFile } from './source.ts';
export type { Adversary, LossInputs, LossResult, Task } from './task.ts';
export { type TokenizerTaskOptions, tokenizerTask } from './tasks/tokenizer.ts';
export { openTokenizer, type Tokenizer, tokenizerSpec, writeTokenizer } from './tokenizer.ts';
export { openTrainer, type StepMetrics, type Trainer, type TrainerOptions } from './trainer.ts';
