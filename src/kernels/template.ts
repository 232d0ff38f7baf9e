// The interface of hand-shaped kernels. A template sees the call's node, the device's caps and the kernel IR, never the passes:
// operands arrive as index functions (with their producers fused in), results leave through `store` (with the epilogue fused in).
import type { Caps } from '../compiler/ir/caps.ts';
import type { Expr } from '../compiler/ir/expr.ts';
import type { Stmt, WorkgroupArray } from '../compiler/ir/stmt.ts';
import type { Node } from '../dsl/core/types.ts';

export interface Block {
  /** Element of operand `k` at coordinates in its own shape, as the type it is computed in (half precision: f32). */
  readonly load: (k: number, at: readonly Expr[]) => Expr;
  /** `count` (1, 2 or 4) neighbours along the operand's axis `axis`, starting at `at`: one vector load where memory allows it. */
  readonly loadVector: (k: number, at: readonly Expr[], axis: number, count: 2 | 4) => Expr;
  /** Statements that pass result `r` at coordinates in its shape on to the kernel's outputs. */
  readonly store: (r: number, at: readonly Expr[], value: Expr) => readonly Stmt[];
}

export interface Emitted {
  readonly workgroupSize: number;
  readonly groups: number;
  readonly arrays?: readonly WorkgroupArray[];
  readonly subgroups?: boolean;
  readonly body: readonly Stmt[];
}

/** One schedule of a template: plain numbers and words, printed by explain() and keyed in the tuning cache. */
export type Schedule = Readonly<Record<string, number | string | boolean>>;

export interface KernelTemplate {
  readonly name: string;
  readonly version: number;
  /** null where the template can take the call, else why not. */
  readonly refuses: (call: Node, caps: Caps) => string | null;
  /** Candidates, the first one safe on any device. */
  readonly space: (call: Node, caps: Caps) => readonly [Schedule, ...Schedule[]];
  /** The candidate to use where nothing was measured: chosen by what the adapter says it is. */
  readonly heuristic: (call: Node, caps: Caps) => Schedule;
  readonly emit: (call: Node, schedule: Schedule, block: Block, caps: Caps) => Emitted;
  readonly work: (call: Node) => { readonly flops: number; readonly bytes: number };
  /** How often each element of operand `k` is read: what is dear to recompute is then stored first. */
  readonly reuse: (call: Node, k: number) => number;
  /** In which order a schedule adds up, in words: schedules of equal words give equal bits. */
  readonly order: (schedule: Schedule) => string;
  /** Elementwise users of result 0 may join the kernel. */
  readonly epilogue: boolean;
  /** Operand whose buffer becomes result 0 and is updated in place (scatter). */
  readonly updates?: number;
}
