// What an adapter can do at most: multiply-adds and bytes a second, each by a kernel that does nothing else.
import { loop } from '../../compiler/ir/build.ts';
import { builtins } from '../../compiler/ir/builtins.ts';
import { f32x4, fma, i32, int, lit, load, rawCall, ref, splat4, variable } from '../../compiler/ir/expr.ts';
import { add, mul } from '../../compiler/ir/index-math.ts';
import type { BufferBinding, KernelCode, Stmt } from '../../compiler/ir/stmt.ts';
import { printKernel } from '../../compiler/print.ts';
import type { Origin, Program } from '../../compiler/program.ts';
import { hashText } from '../../dsl/core/hash.ts';
import { orThrow } from '../attempt.ts';
import type { Backend } from '../backend.ts';

export interface Roofline {
  /** Floating-point operations a second, in f32. */
  readonly flops: number;
  /** Bytes read and written a second, by a copy that no cache holds. */
  readonly bytes: number;
}

const RUNS = 7;
const SIZE = 64;

const invocation = (groups: number) =>
  add(mul(ref(builtins.group, i32, 0, groups - 1), int(SIZE)), ref(builtins.local, i32, 0, SIZE - 1));

const binding = (name: string, access: BufferBinding['access'], length: number): BufferBinding => ({
  name,
  dtype: 'f32',
  access,
  length,
});

const kernel = (
  label: string,
  groups: number,
  buffers: readonly BufferBinding[],
  body: readonly Stmt[],
): KernelCode => ({
  label,
  buffers,
  scalars: [],
  workgroupSize: SIZE,
  groups,
  arrays: [],
  subgroups: false,
  body,
});

/** Accumulators of an invocation: enough to hide the latency of one multiply-add. */
const CHAINS = 8;
const TURNS = 512;

/** x[i] from `CHAINS` chains of multiply-adds on vec4. */
const arithmetic = (groups: number): KernelCode => {
  const acc = (c: number) => variable(`acc${c}`, f32x4);
  const half = splat4(lit(0.5, 'f32'));
  const turn = ref('turn', i32, 0, TURNS - 1);
  const at = mul(invocation(groups), int(4));
  const start = load(0, at, f32x4);
  const chains = Array.from({ length: CHAINS }, (_, c) => c);
  const sum = chains.slice(1).reduce((s, c) => rawCall('add', [s, acc(c)], f32x4), acc(0));
  return kernel(
    'arithmetic peak',
    groups,
    [binding('b0', 'read_write', groups * SIZE * 4)],
    [
      ...chains.map(
        (c): Stmt => ({
          s: 'var',
          name: `acc${c}`,
          type: f32x4,
          value: rawCall('add', [start, splat4(lit(c, 'f32'))], f32x4),
        }),
      ),
      loop(
        turn,
        TURNS,
        chains.map((c): Stmt => ({ s: 'assign', name: `acc${c}`, value: fma(acc(c), half, start) })),
      ),
      { s: 'store', buffer: 0, index: at, value: sum },
    ],
  );
};

const copy = (groups: number): KernelCode => {
  const at = mul(invocation(groups), int(4));
  const length = groups * SIZE * 4;
  return kernel(
    'copy',
    groups,
    [binding('b0', 'read', length), binding('b1', 'read_write', length)],
    [{ s: 'store', buffer: 1, index: at, value: load(0, at, f32x4) }],
  );
};

const programOf = (code: KernelCode, backend: Backend): Program => {
  const { text, scratch } = printKernel(code, backend.caps);
  const origin: Origin = {
    label: code.label,
    why: 'a probe',
    site: '',
    path: '',
    schedule: 'probe',
    flops: 0,
    bytes: 0,
  };
  const { label: digest, buffers, workgroupSize, groups } = code;
  return {
    digest,
    target: backend.caps.target,
    kernels: [
      {
        digest: hashText(text),
        text,
        bindings: buffers,
        scalars: [],
        workgroupSize,
        groups,
        ...(scratch ? { scratch } : {}),
      },
    ],
    steps: [{ kind: 'dispatch', kernel: 0, buffers: buffers.map((_, slot) => ({ slot })), scalars: [], origin }],
    slots: buffers.map(({ length }) => ({ bytes: length * 4, holds: 'temp' as const })),
    inputs: [],
    scalars: [],
    outputs: [],
  };
};

/** Seconds of the fastest run. */
const fastest = async (backend: Backend, code: KernelCode): Promise<number> => {
  const executable = await orThrow(backend.load(programOf(code, backend)));
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i <= RUNS; i++) {
    const started = performance.now();
    await orThrow(executable.run([], {}));
    await orThrow(backend.idle);
    if (i > 0) best = Math.min(best, performance.now() - started);
  }
  executable.dispose();
  return best / 1e3;
};

/** Measures both on an adapter or a processor, in a second or so. Throws RunFailure. */
export const measureRoofline = async (backend: Backend): Promise<Roofline> => {
  const workers = backend.caps.software ? 256 : 16_384;
  const flops = 2 * 4 * CHAINS * TURNS * workers * SIZE;
  const elements = Math.min(1 << 24, Math.floor(backend.caps.limits.binding / 4));
  const bytes = 8 * elements;
  return {
    flops: flops / (await fastest(backend, arithmetic(workers))),
    bytes: bytes / (await fastest(backend, copy(elements / (4 * SIZE)))),
  };
};
