// dualtoken: the language and its runtime. Read in this order: dsl/; compiler/ (on kernels/) and runtime/. Models, training, data
// and measures are entry points of their own: models/, train/, data/ (on files/), eval/. cli/ is the command, version the
// package's.

export { explain, explainSteps, summaryOf } from './compiler/explain.ts';
export type { Program } from './compiler/program.ts';
export * from './dsl/index.ts';
export { backendNames } from './runtime/choose.ts';
export { type RunError, RunFailure, renderRunError } from './runtime/error.ts';
export { CompileFailure } from './runtime/evaluate.ts';
export type { Compiled, JitOptions, Results, Value, Values } from './runtime/jit.ts';
export { Profile } from './runtime/profile.ts';
export {
  compile,
  defaultRuntime,
  evaluate,
  openRuntime,
  type Runtime,
  type RuntimeOptions,
} from './runtime/runtime.ts';
export { DeviceTensor, HostTensor, i32, u32 } from './runtime/tensor.ts';
export { version } from './version.ts';
