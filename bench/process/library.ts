// What a participant's process implements: for each kind of workload, how to get ready and how to run once.
import type { Kind, WorkloadOf } from '../workloads/list.ts';
import type { DawnClasses } from './dawn.ts';

/** A workload that is loaded: inputs are on the device, as far as the library allows. */
export interface Running {
  /** Starts one run. Resolves when it is submitted, or done where the library does not tell the two apart. */
  readonly launch: () => Promise<void>;
  /** Resolves when everything launched is done. */
  readonly wait: () => Promise<void>;
  /** The values of one run; of training, the losses of the first steps from the start. */
  readonly result: () => Promise<ArrayLike<number>>;
  /** The program in words, where the library can say it. */
  readonly explain?: () => Promise<string>;
  /** Kernels of a run, where the library knows. */
  readonly dispatches?: () => Promise<number>;
}

/** From data on the host to a loaded workload: with one run, this is what a first call takes. */
export type Start = () => Promise<Running>;

/** Makes data ready on the host, untimed. */
export type Makers = { readonly [K in Kind]?: (w: WorkloadOf<K>) => Start | Promise<Start> };

export interface Roofline {
  /** Floating-point operations a second in f32. */
  readonly flops: number;
  /** Bytes read and written a second by a copy. */
  readonly bytes: number;
}

/** A WebGPU adapter, WebAssembly, or the processor by other means. */
export type Place = 'adapter' | 'wasm' | 'processor';

export interface Library {
  /** What it runs on, in the library's words. */
  readonly device: string;
  /** Results are compared with those of others in the same place. */
  readonly on: Place;
  /** Whether it has relaxed SIMD's fused multiply-add, where the library says. */
  readonly relaxedSimd?: boolean;
  readonly makers: Makers;
  /** Where the library calls these, what it calls can be counted. */
  readonly classes?: DawnClasses;
  readonly roofline?: () => Promise<Roofline>;
}
