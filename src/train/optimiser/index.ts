// The optimiser, as functions of tensors. Read in this order: schedule, adam, clip, optimise.
export { type AdamOptions, type AdamScalars, adam, adamScalars, type Moments } from './adam.ts';
export { clipByGlobalNorm, globalNorm } from './clip.ts';
export { type OptimiserOptions, type OptimiserState, optimise, type Vectors } from './optimise.ts';
export { type Schedule, type ScheduleOptions, schedule } from './schedule.ts';
