import * as assert from 'uvu/assert';
import { noKernels } from '../../src/compiler/cache/cache.ts';
import type { Caps } from '../../src/compiler/ir/caps.ts';
import type { Kernel, Program, Step } from '../../src/compiler/program.ts';
import type { Backend, DeviceBuffer } from '../../src/runtime/backend.ts';
import { openWasm } from '../../src/runtime/wasm/wasm.ts';
import { right } from './backends.ts';
import { dispatch, input, originOf, output, programOf, slot } from './programs.ts';

/** A kernel of f32 buffers; `body` computes workgroup $g. */
export const kernel = (
  groups: number,
  buffers: number,
  body: string,
  options: { readonly scalars?: Kernel['scalars']; readonly scratch?: number } = {},
): Kernel => {
  const { scalars = [], scratch } = options;
  const params = [
    ...Array.from({ length: buffers }, (_, i) => `(param $b${i} i32)`),
    ...scalars.map((s, i) => `(param $s${i} ${s === 'f32' ? 'f32' : 'i32'})`),
  ];
  const text = `(module (import "env" "memory" (memory 1 65536 shared))
  (func (export "run") (param $from i32) (param $to i32) (param $scratch i32) ${params.join(' ')}
    (local $g i32) (local $i i32) (local $at i32)
    (local.set $g (local.get $from))
    (block $end (loop $next
      (br_if $end (i32.ge_u (local.get $g) (local.get $to)))
      (local.set $at (i32.shl (local.get $g) (i32.const 4)))
      ${body}
      (local.set $g (i32.add (local.get $g) (i32.const 1)))
      (br $next)))))`;
  return {
    digest: `by hand ${text.length}`,
    text,
    bindings: Array.from({ length: buffers }, (_, i) => ({
      name: `b${i}`,
      access: i === buffers - 1 ? ('read_write' as const) : ('read' as const),
      dtype: 'f32' as const,
      length: groups * 4,
    })),
    scalars,
    workgroupSize: 1,
    groups,
    ...(scratch === undefined ? {} : { scratch }),
  };
};

export const at = (buffer: number): string => `(i32.add (local.get $b${buffer}) (local.get $at))`;
export const load = (buffer: number): string => `(v128.load ${at(buffer)})`;
/** b2 = b0 + b1, four numbers a group. */
export const add = (n: number): Kernel => kernel(n / 4, 3, `(v128.store ${at(2)} (f32x4.add ${load(0)} ${load(1)}))`);

export const addProgram = (caps: Caps, n: number): Program =>
  programOf(caps, {
    kernels: [add(n)],
    steps: [dispatch(0, [0, 1, 2], [], 'add')],
    slots: [slot('input', n), slot('input', n), slot('output', n)],
    inputs: [input('a', 0, n), input('b', 1, n)],
    outputs: [output(2, n)],
  });

export const ramp = (n: number, f: (i: number) => number = (i) => i): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => f(i));
export const upload = (backend: Backend, data: Float32Array) => right(backend.upload(data, [data.length], 'f32'));

export const withBackend = async (
  options: Parameters<typeof openWasm>[0],
  body: (backend: Backend) => Promise<void>,
): Promise<void> => {
  const backend = await right(openWasm({ cache: noKernels, ...options }));
  try {
    await body(backend);
  } finally {
    backend.dispose();
  }
};

export const vectors = async (backend: Backend, n: number) =>
  [
    await upload(backend, ramp(n)),
    await upload(
      backend,
      ramp(n, (i) => 2 * i),
    ),
  ] as const;
export const isSum = async (y: DeviceBuffer, factor = 3): Promise<void> => {
  const values = await right(y.read);
  assert.ok(
    values.every((v, i) => v === factor * i),
    'the sums are right',
  );
};
export const sized = <S extends Step>(step: S, bytes: number): S => ({
  ...step,
  origin: originOf(step.origin.label, 0, bytes),
});
export const eachThreads = [1, 2, 3, 5];
