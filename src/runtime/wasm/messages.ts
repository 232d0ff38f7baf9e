// What the host and its threads tell each other. Types alone: a thread's code imports nothing.
import type { SharedMemory, WasmModule } from './engine.ts';

/** A step as a thread sees it: groups of a kernel, or of a copy, which is kernel -1. */
export interface ThreadStep {
  /** Position among the program's steps; copies into outputs come after them. */
  readonly index: number;
  readonly kernel: number;
  readonly groups: number;
  /** Buffers, each a slot and an offset in bytes; of a copy the source and the target. */
  readonly slots: readonly number[];
  readonly offsets: readonly number[];
  /** Positions among the program's scalars. */
  readonly scalars: readonly number[];
  readonly scratch: boolean;
  /** Bytes of a copy, and how many of them a group copies. */
  readonly bytes: number;
  readonly groupBytes: number;
}

/** A step that threads share, in `chunks`, and the short ones after it, done by the thread that ends it. */
export interface Phase {
  readonly step: ThreadStep;
  readonly chunks: number;
  readonly tail: readonly ThreadStep[];
}

export interface RunMessage {
  readonly kind: 'run';
  readonly run: number;
  readonly program: number;
  /** Number of the run's first phase among all phases of the backend. */
  readonly base: number;
  /** Address of each slot. */
  readonly slots: Float64Array;
  readonly scalars: Float64Array;
  /** Address of the threads' scratch memory, and bytes of one thread's part. */
  readonly scratch: number;
  readonly scratchBytes: number;
  /** Start and end of each step in ns, where the run is profiled. */
  readonly times: Float64Array | null;
}

export type ToThread =
  | {
      readonly kind: 'start';
      readonly index: number;
      readonly memory: SharedMemory;
      readonly wide: boolean;
      readonly control: Int32Array;
    }
  | { readonly kind: 'kernel'; readonly kernel: number; readonly module: WasmModule }
  | { readonly kind: 'program'; readonly program: number; readonly phases: readonly Phase[] }
  | { readonly kind: 'drop'; readonly program: number }
  | RunMessage;

export type FromThread =
  /** The last phase of a run is over; `failed` says that a step of it threw, which another message describes. */
  | { readonly kind: 'done'; readonly run: number; readonly failed: boolean }
  | { readonly kind: 'fault'; readonly run: number; readonly step: number; readonly message: string };

/** A thread as the host has it. */
export interface Thread {
  readonly post: (message: ToThread) => void;
  /** Keeps the process alive, or no longer. */
  readonly hold: (held: boolean) => void;
  readonly end: () => void;
}

export interface Listener {
  readonly take: (message: FromThread) => void;
  /** The thread is gone, and nobody asked it to end. */
  readonly lost: (reason: string) => void;
}
