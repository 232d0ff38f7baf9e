// Statements and whole kernels: a small structured language that knows no target; wgsl/ and js/ print it.
import type { DType } from '../../dsl/core/dtype.ts';
import type { Expr, Scalar, Type } from './expr.ts';

/** A matrix that the invocations of a subgroup hold together. */
export interface MatrixType {
  readonly role: 'left' | 'right' | 'result';
  readonly scalar: 'f32' | 'f16';
  readonly rows: number;
  readonly columns: number;
}

export type Stmt =
  | { readonly s: 'let'; readonly name: string; readonly value: Expr }
  | { readonly s: 'var'; readonly name: string; readonly type: Type; readonly value: Expr }
  | { readonly s: 'assign'; readonly name: string; readonly value: Expr }
  /** A fixed-size array private to one invocation. */
  | { readonly s: 'array'; readonly name: string; readonly type: Type; readonly length: number }
  | { readonly s: 'setElement'; readonly array: string; readonly index: Expr; readonly value: Expr }
  | { readonly s: 'store'; readonly buffer: number; readonly index: Expr; readonly value: Expr }
  /** for (name = from; name < to; name += step); the counter's bounds are those of its `ref`. */
  | {
      readonly s: 'for';
      readonly counter: Expr & { readonly e: 'ref' };
      readonly from: Expr;
      readonly to: Expr;
      readonly step: number;
      readonly body: readonly Stmt[];
    }
  | { readonly s: 'if'; readonly cond: Expr; readonly then: readonly Stmt[]; readonly else?: readonly Stmt[] }
  /** All invocations of the workgroup wait, and see each other's workgroup arrays. */
  | { readonly s: 'barrier' }
  /** A matrix of zeros. */
  | { readonly s: 'matrix'; readonly name: string; readonly of: MatrixType }
  /** Reads a matrix from a workgroup array, from `index` on, its rows `stride` elements apart; the same for the whole subgroup. */
  | {
      readonly s: 'loadMatrix';
      readonly name: string;
      readonly of: MatrixType;
      readonly array: string;
      readonly index: Expr;
      readonly stride: number;
    }
  | {
      readonly s: 'storeMatrix';
      readonly name: string;
      readonly of: MatrixType;
      readonly array: string;
      readonly index: Expr;
      readonly stride: number;
    }
  /** into += left * right. */
  | { readonly s: 'multiplyMatrices'; readonly into: string; readonly left: string; readonly right: string };

export interface BufferBinding {
  readonly name: string;
  readonly dtype: DType;
  readonly access: 'read' | 'read_write';
  /** Elements. */
  readonly length: number;
}
export interface WorkgroupArray {
  readonly name: string;
  readonly type: Type;
  readonly length: number;
}

export interface KernelCode {
  readonly label: string;
  readonly buffers: readonly BufferBinding[];
  /** Run-time scalars, in the order of their 4-byte immediates. */
  readonly scalars: readonly { readonly slot: string; readonly scalar: Scalar }[];
  readonly workgroupSize: number;
  /** Workgroups in all; the runtime folds them into a grid. */
  readonly groups: number;
  readonly arrays: readonly WorkgroupArray[];
  readonly subgroups: boolean;
  readonly body: readonly Stmt[];
}
