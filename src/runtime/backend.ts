// The one interface that every backend implements: upload, load a program, run it.
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { Caps } from '../compiler/ir/caps.ts';
import type { Program } from '../compiler/program.ts';
import type { DType, HostArray } from '../dsl/core/dtype.ts';
import type { RunError } from './error.ts';

/** A tensor on the device. Freed by `free`, by being donated, or by the collector as a net. */
export interface DeviceBuffer {
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** Copies it to the host: f16 and bf16 as raw 16-bit patterns, bool as 0 and 1. */
  readonly read: TaskEither<RunError, HostArray>;
  readonly free: () => void;
  readonly freed: boolean;
}

/** Time of one step, where the run was profiled. */
export interface StepTime {
  readonly step: number;
  readonly startNs: number;
  readonly durationNs: number;
}

export interface RunOptions {
  /** Hears the time of each step. */
  readonly profile?: (times: readonly StepTime[]) => void;
  /** Hears from time to time what share of a long run's work is done. */
  readonly progress?: (share: number) => void;
}

export interface Executable {
  /** Runs once. `inputs` in the program's order (null where the program does not read one); resolves when work is submitted, on the processor when it is done. */
  readonly run: (
    inputs: readonly (DeviceBuffer | null)[],
    scalars: Readonly<Record<string, number>>,
    options?: RunOptions,
  ) => TaskEither<RunError, readonly DeviceBuffer[]>;
  readonly dispose: () => void;
}

export interface BackendStats {
  readonly liveBytes: number;
  readonly peakBytes: number;
  readonly buffers: number;
  /** Pipelines (or gpu.js kernels) made since the backend was opened. */
  readonly kernelsCompiled: number;
  readonly runs: number;
}

export interface Backend {
  readonly name: 'webgpu' | 'wasm' | 'gpujs' | 'null';
  readonly caps: Caps;
  readonly upload: (data: HostArray, shape: readonly number[], dtype: DType) => TaskEither<RunError, DeviceBuffer>;
  readonly load: (program: Program) => TaskEither<RunError, Executable>;
  /** Waits until the device has done all that was submitted. */
  readonly idle: TaskEither<RunError, void>;
  readonly stats: () => BackendStats;
  readonly dispose: () => void;
}
