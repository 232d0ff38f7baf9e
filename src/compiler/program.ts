// A compiled program: plain data that any backend of its target runs, and that the disk cache keeps.
import type { DType } from '../dsl/core/dtype.ts';
import type { Target } from './ir/caps.ts';
import type { Scalar } from './ir/expr.ts';

export interface Kernel {
  readonly digest: string;
  /** WGSL, the source of a gpu.js kernel function, or a WebAssembly module as text (compiler/wasm/print.ts says what it exports). */
  readonly text: string;
  readonly bindings: readonly {
    readonly access: 'read' | 'read_write';
    readonly dtype: DType;
    readonly length: number;
  }[];
  readonly scalars: readonly Scalar[];
  /** Invocations of a workgroup; the text has them too. */
  readonly workgroupSize: number;
  /** Workgroups in all; folded into a grid when dispatched. */
  readonly groups: number;
  /** WebAssembly alone: bytes of memory that a thread lends the kernel for its arrays. */
  readonly scratch?: number;
}

/** Where a step comes from and what it costs. */
export interface Origin {
  /** Operation and shape, as `contract bqk,kn->bqn f32[2, 729, 4304]`. */
  readonly label: string;
  /** Why the kernel ends where it does. */
  readonly why: string;
  readonly site: string;
  readonly path: string;
  /** Template and its parameters, or the generic schedule. */
  readonly schedule: string;
  readonly flops: number;
  readonly bytes: number;
}

/** A binding of a dispatch: a slot, and the range of it in bytes where it is bound in part (tensors over the binding limit). */
export interface Bound {
  readonly slot: number;
  readonly offset?: number;
  readonly size?: number;
}

export type Step =
  | {
      readonly kind: 'dispatch';
      readonly kernel: number;
      readonly buffers: readonly Bound[];
      readonly scalars: readonly string[];
      readonly origin: Origin;
    }
  | {
      readonly kind: 'copy';
      readonly from: number;
      /** First byte in `from`, where what is copied is a part of it. */
      readonly offset?: number;
      readonly to: number;
      readonly bytes: number;
      readonly origin: Origin;
    };

/**
 * One device buffer. `input` slots are bound by the caller, `output` slots are new buffers handed to the caller, `temp` slots
 * belong to the program. A donated input's slot may also hold an output.
 */
export interface Slot {
  readonly bytes: number;
  readonly holds: 'input' | 'output' | 'temp';
}

export interface ProgramInput {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** -1 where the program does not read it. */
  readonly slot: number;
  /** The caller gives the buffer up; the program may write into it. */
  readonly donated: boolean;
}
export interface ProgramOutput {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly slot: number;
}

export interface Program {
  readonly digest: string;
  readonly target: Target;
  readonly kernels: readonly Kernel[];
  readonly steps: readonly Step[];
  readonly slots: readonly Slot[];
  readonly inputs: readonly ProgramInput[];
  /** Names of run-time scalars; kernels say of which type they read them. */
  readonly scalars: readonly string[];
  readonly outputs: readonly ProgramOutput[];
}

/** Bytes of a tensor's buffer: whole 16-byte units, so that vec4 bindings and copies fit. */
export const bufferBytes = (elements: number, width: number): number =>
  Math.max(16, Math.ceil((elements * width) / 16) * 16);

/** Bytes of the program's own slots, and with inputs and outputs the peak while it runs. */
export const memoryOf = (p: Program): { readonly temp: number; readonly peak: number } => {
  const total = (kinds: readonly Slot['holds'][]): number =>
    p.slots.reduce((n, s) => n + (kinds.includes(s.holds) ? s.bytes : 0), 0);
  return { temp: total(['temp']), peak: total(['input', 'output', 'temp']) };
};
