// Hand-written kernels and programs for tests of the backends.

import { builtins } from '../../src/compiler/ir/builtins.ts';
import type { Caps } from '../../src/compiler/ir/caps.ts';
import { call, type Expr, i32, int, load, ref, scalarType } from '../../src/compiler/ir/expr.ts';
import { add, mul } from '../../src/compiler/ir/index-math.ts';
import type { BufferBinding, KernelCode, Stmt } from '../../src/compiler/ir/stmt.ts';
import { mapStmt } from '../../src/compiler/ir/walk.ts';
import { printJs } from '../../src/compiler/js/print.ts';
import {
  bufferBytes,
  type Kernel,
  type Origin,
  type Program,
  type ProgramInput,
  type Slot,
  type Step,
} from '../../src/compiler/program.ts';
import { printWasm } from '../../src/compiler/wasm/print.ts';
import { printWgsl, type WgslOptions } from '../../src/compiler/wgsl/print.ts';
import { bytesOf, type DType } from '../../src/dsl/core/dtype.ts';

/** Kernels that read `reads` and write `writes` (which come after them), one element an invocation. */
export const elementwise = (
  label: string,
  length: number,
  reads: readonly DType[],
  writes: DType,
  value: (i: Expr, element: (input: number) => Expr) => Expr,
  options: { readonly workgroupSize?: number; readonly scalars?: KernelCode['scalars'] } = {},
): KernelCode => {
  const size = options.workgroupSize ?? 64;
  const groups = Math.ceil(length / size);
  const i = add(
    mul(ref(builtins.group, i32, 0, Math.max(0, groups - 1)), int(size)),
    ref(builtins.local, i32, 0, size - 1),
  );
  const typeOf = (d: DType) => scalarType(d === 'f16' || d === 'bf16' ? 'f32' : d);
  const store: Stmt = {
    s: 'store',
    buffer: reads.length,
    index: i,
    value: value(i, (k) => load(k, i, typeOf(reads[k]!))),
  };
  const binding = (dtype: DType, k: number): BufferBinding => ({
    name: `b${k}`,
    dtype,
    access: k === reads.length ? 'read_write' : 'read',
    length,
  });
  return {
    label,
    buffers: [...reads, writes].map(binding),
    scalars: options.scalars ?? [],
    workgroupSize: size,
    groups,
    arrays: [],
    subgroups: false,
    body: [{ s: 'if', cond: call('lt', i, int(length)), then: [store] }],
  };
};

const printed = (code: KernelCode, caps: Caps, options: Partial<WgslOptions>): Pick<Kernel, 'text' | 'scratch'> => {
  switch (caps.target) {
    case 'js':
      return { text: printJs(code) };
    case 'wasm':
      return printWasm(code, { memory64: false, relaxedSimd: caps.relaxedSimd ?? false });
    case 'wgsl':
      return {
        text: printWgsl(code, {
          f16: caps.f16,
          immediates: 4 * code.scalars.length <= caps.limits.immediateBytes,
          ...options,
        }),
      };
  }
};

/** The kernel printed for a backend. */
export const kernelOf = (code: KernelCode, caps: Caps, options: Partial<WgslOptions> = {}): Kernel => ({
  digest: code.label,
  ...printed(code, caps, options),
  bindings: code.buffers,
  scalars: code.scalars.map((s) => s.scalar),
  workgroupSize: code.workgroupSize,
  groups: code.groups,
});

export const originOf = (label: string, flops = 0, bytes = 0): Origin => ({
  label,
  why: 'written by hand',
  site: `${label}.ts:1`,
  path: `net.${label}`,
  schedule: 'generic',
  flops,
  bytes,
});

export const dispatch = (
  kernel: number,
  slots: readonly number[],
  scalars: readonly string[] = [],
  label = 'step',
): Step => ({
  kind: 'dispatch',
  kernel,
  buffers: slots.map((slot) => ({ slot })),
  scalars,
  origin: originOf(label),
});

export const copy = (from: number, to: number, bytes: number, offset?: number): Step => ({
  kind: 'copy',
  from,
  ...(offset === undefined ? {} : { offset }),
  to,
  bytes,
  origin: originOf('copy'),
});

export const slot = (holds: Slot['holds'], elements: number, dtype: DType = 'f32'): Slot => ({
  holds,
  bytes: bufferBytes(elements, bytesOf[dtype]),
});

export const input = (
  name: string,
  at: number,
  length: number,
  dtype: DType = 'f32',
  donated = false,
): ProgramInput => ({
  name,
  shape: [length],
  dtype,
  slot: at,
  donated,
});

export const output = (at: number, length: number, dtype: DType = 'f32'): Program['outputs'][number] => ({
  shape: [length],
  dtype,
  slot: at,
});

export const programOf = (
  caps: Caps,
  parts: Omit<Program, 'digest' | 'target' | 'scalars'> & Partial<Program>,
): Program => ({
  digest: 'by hand',
  target: caps.target,
  scalars: [],
  ...parts,
});

/** b2 = b0 + b1 over f32[length]. */
export const sum = (length: number): KernelCode =>
  elementwise('add', length, ['f32', 'f32'], 'f32', (_, at) => call('add', at(0), at(1)));

export const addProgram = (caps: Caps, length: number): Program =>
  programOf(caps, {
    kernels: [kernelOf(sum(length), caps)],
    steps: [dispatch(0, [0, 1, 2], [], 'add')],
    slots: [slot('input', length), slot('input', length), slot('output', length)],
    inputs: [input('a', 0, length), input('b', 1, length)],
    outputs: [output(2, length)],
  });

/** A kernel of `elementwise` that writes over its first operand instead. */
export const inPlace = (code: KernelCode): KernelCode => {
  const redirect = (s: Stmt): Stmt =>
    s.s === 'store'
      ? { ...s, buffer: 0 }
      : mapStmt(
          s,
          (e) => e,
          (block) => block.map(redirect),
        );
  const [first, ...rest] = code.buffers.slice(0, -1);
  return { ...code, buffers: [{ ...first!, access: 'read_write' }, ...rest], body: code.body.map(redirect) };
};
