// Training and trained models. Read in this order: schedule, adam, clip, optimise, task, player, players, turn, side, sides (with freeze),
// round, trainer, loop; tasks/ say what is learned. config (with rates), loss-faults, prepare, normalisation, warnings, room, lock and run make a run of it, failure is what ends one, step-graph its step without a run; checkpoint, log, record (with reconstruct) and report/ are
// its files. source, vectors and draw are how tensors go by name; load-checkpoint, place, load-mobilenet and starting-weights (with
// positions) bring weights in. model-file tells which model a file holds, tokenizer is one ready for use, import and publish are the ways
// from and to published files.
export { type AdamOptions, type AdamScalars, adam, adamScalars, type Moments } from './adam.ts';
export {
  type Checkpoint,
  type CheckpointInfo,
  latestCheckpoint,
  listCheckpoints,
  readCheckpoint,
} from './checkpoint.ts';
export { clipByGlobalNorm, globalNorm } from './clip.ts';
export { defineConfig, parseTrainConfig, type TrainConfig, type TrainConfigInput } from './config.ts';
export { drawnSource } from './draw.ts';
export { ConfigFailure, TrainFailure } from './failure.ts';
export type { Layouts } from './freeze.ts';
export { type ImportPlan, importedSource, type NamedShape, planImport } from './import.ts';
export { hostParams, loadNamed, loadParams } from './load-checkpoint.ts';
export { type LoadedMobileNet, loadMobileNetV2 } from './load-mobilenet.ts';
export { type Finished, type LoopOptions, type Progress, trainLoop } from './loop.ts';
export type { OnBytes } from './place.ts';
export type { OptimizerOptions } from './players.ts';
export { type PublishOptions, publishModel } from './publish.ts';
export type { ImageBatch, Rates, RoundOptions, StepMetrics } from './round.ts';
export { checkpointFor, type RunHooks, type RunResult, runTraining } from './run.ts';
export { type Schedule, type ScheduleOptions, schedule } from './schedule.ts';
export type { SideState } from './side.ts';
export type { SideChoices } from './sides.ts';
export { fileSource, hostSource, joinSources, readAll, type StoredAt, type TensorSource, wholeFile } from './source.ts';
export type { Adversary, LossInputs, LossResult, Pair, Task, TrainBatch } from './task.ts';
export type { AdversarySpec, AdversaryState } from './tasks/adversary.ts';
export { type TokenizerFrozen, type TokenizerTaskOptions, tokenizerTask } from './tasks/tokenizer.ts';
export {
  openTokenizer,
  type PictureCodes,
  type Tokenizer,
  type TokenizerFileOptions,
  tokenizerSpec,
  writeTokenizer,
} from './tokenizer.ts';
export { openTrainer, type Trainer, type TrainerOptions } from './trainer.ts';
export type { NamedTensor, NamedTensors, Shapes } from './vectors.ts';
