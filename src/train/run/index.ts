// A run in its folder. Read in this order: room, positions, starting-weights, warnings, prepare: what is found before its first step; lock,
// checkpoint, record, reconstruct: what it keeps; loop, run.
export {
  type Checkpoint,
  type CheckpointInfo,
  latestCheckpoint,
  listCheckpoints,
  readCheckpoint,
} from './checkpoint.ts';
export { type Finished, type LoopOptions, type Progress, trainLoop } from './loop.ts';
export { checkpointFor, type RunHooks, type RunResult, runTraining } from './run.ts';
