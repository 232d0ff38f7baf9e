// Training. Read in this order: schedule, adam, clip, optimise, task, player, players, vectors, turn, side, sides (with freeze), round,
// trainer, loop; tasks/ say what is learned. config (with rates), loss-faults, prepare, starting-weights (with positions), warnings, room,
// lock and run make a run of it, failure is what ends one, step-graph its step without a run; checkpoint, log, record (with reconstruct)
// and report/ are its files.

export {
  drawnSource,
  fileSource,
  hostParams,
  hostSource,
  type ImportPlan,
  importedSource,
  joinSources,
  type LoadedMobileNet,
  loadMobileNetV2,
  loadNamed,
  loadParams,
  type NamedShape,
  type NamedTensor,
  type NamedTensors,
  type OnBytes,
  openTokenizer,
  type PictureCodes,
  type PublishOptions,
  planImport,
  publishModel,
  readAll,
  type Shapes,
  type StoredAt,
  type TensorSource,
  type Tokenizer,
  type TokenizerFileOptions,
  tokenizerSpec,
  wholeFile,
  writeTokenizer,
} from '../checkpoints/index.ts';
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
export { ConfigFailure, TrainFailure } from './failure.ts';
export type { Layouts } from './freeze.ts';
export { type Finished, type LoopOptions, type Progress, trainLoop } from './loop.ts';
export type { OptimizerOptions } from './players.ts';
export type { ImageBatch, Rates, RoundOptions, StepMetrics } from './round.ts';
export { checkpointFor, type RunHooks, type RunResult, runTraining } from './run.ts';
export { type Schedule, type ScheduleOptions, schedule } from './schedule.ts';
export type { SideState } from './side.ts';
export type { SideChoices } from './sides.ts';
export type { Adversary, LossInputs, LossResult, Pair, Task, TrainBatch } from './task.ts';
export type { AdversarySpec, AdversaryState } from './tasks/adversary.ts';
export { type TokenizerFrozen, type TokenizerTaskOptions, tokenizerTask } from './tasks/tokenizer.ts';
export { openTrainer, type Trainer, type TrainerOptions } from './trainer.ts';
