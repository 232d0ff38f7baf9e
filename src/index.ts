// dualtoken: the language and its runtime. Read in this order: dsl/; compiler/ (on kernels/) and runtime/. Models, training, data
// and measures are entry points of their own: models/, train/ (on checkpoints/), data/ (on files/), eval/. cli/ is the command,
// version the package's.

export type { ProgramCache } from './compiler/cache/cache.ts';
export type { CompileOptions, KernelOf, PassName } from './compiler/compile.ts';
export { type ExplainedStep, explain, explainSteps, summaryOf } from './compiler/explain.ts';
export type { Caps, Limits, SubgroupMatrix, Target } from './compiler/ir/caps.ts';
export type { Coarsening } from './compiler/lower/generic.ts';
export type {
  Bound,
  Kernel,
  Origin,
  Program,
  ProgramInput,
  ProgramOutput,
  Slot,
  Step,
} from './compiler/program.ts';
export type { Choice, Tuning } from './compiler/select/tuning.ts';
export * from './dsl/index.ts';
export type { KernelTemplate, Schedule } from './kernels/template.ts';
export type { Backend, BackendStats, DeviceBuffer, Executable, RunOptions, StepTime } from './runtime/backend.ts';
export { backendNames, type ChooseOptions } from './runtime/choose.ts';
export { type RunError, RunFailure, renderRunError } from './runtime/error.ts';
export { CompileFailure } from './runtime/evaluate.ts';
export type { Compiled, JitOptions, Results, Value, Values } from './runtime/jit.ts';
export { type KernelTime, Profile } from './runtime/profile.ts';
export {
  compile,
  defaultRuntime,
  type Evaluated,
  evaluate,
  openRuntime,
  type Runtime,
  type RuntimeOptions,
  type RuntimeStats,
} from './runtime/runtime.ts';
export { DeviceTensor, HostTensor, i32, type ScalarValue, u32 } from './runtime/tensor.ts';
export { version } from './version.ts';
