// Training and trained models. Read in this order: schedule, adam, clip, optimise, task, player, turn, side, sides (with freeze),
// trainer, loop; tasks/ say what is learned. config (with rates), loss-faults, prepare, normalisation, warnings, room and run
// make a run of it, failure is what ends one, step-graph its step without a run; checkpoint, log, record (with reconstruct) and
// report/ are its files. source, vectors and draw are how tensors go by name; load-checkpoint, place, load-mobilenet and
// starting-weights (with positions) bring weights in. model-file tells which model a file holds, tokenizer is one ready for use,
// import and publish are the ways from and to published files.
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
