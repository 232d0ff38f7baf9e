// The JavaScript printer: structure of statements, exact storage types, erf in full precision, and what it refuses.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loop } from '../../src/compiler/ir/build.ts';
import {
  call,
  type Expr,
  f32,
  f32x4,
  i32,
  int,
  lit,
  load,
  rawCall,
  ref,
  variable,
} from '../../src/compiler/ir/expr.ts';
import { add, mul } from '../../src/compiler/ir/index-math.ts';
import type { KernelCode, Stmt } from '../../src/compiler/ir/stmt.ts';
import { printJs } from '../../src/compiler/js/print.ts';
import { gpuJs, right } from '../support/backends.ts';
import { erf } from '../support/interpret/scalar.ts';
import { dispatch, elementwise, input, kernelOf, output, programOf, slot, sum } from '../support/programs.ts';

const test = suite('compiler: JavaScript kernels');

/** Runs one kernel over f32 [n] on gpu.js. */
const run = async (code: KernelCode, data: Float32Array, n: number): Promise<readonly number[]> => {
  const backend = gpuJs();
  const program = programOf(backend.caps, {
    kernels: [kernelOf(code, backend.caps)],
    steps: [dispatch(0, [0, 1])],
    slots: [slot('input', data.length), slot('output', n)],
    inputs: [input('x', 0, data.length)],
    outputs: [output(1, n)],
  });
  const executable = await right(backend.load(program));
  const x = await right(backend.upload(data, [data.length], 'f32'));
  const [y] = await right(executable.run([x], {}));
  const values = await right(y!.read);
  for (const t of [x, y!]) t.free();
  executable.dispose();
  return Array.from(values);
};

const counter = (name: string, hi: number): Expr & { readonly e: 'ref' } => {
  const made = ref(name, i32, 0, hi);
  if (made.e !== 'ref') throw new Error('a reference');
  return { ...made, e: 'ref' };
};

test('loops of the same counter name side by side and nested, with bounds known only at run time', async () => {
  const [rows, columns] = [5, 7];
  const row = ref('local', i32, 0, rows - 1);
  const acc = variable('acc', f32);
  const j = counter('j', columns - 1);
  const i = counter('i', columns - 1);
  const x = load(0, add(mul(row, int(columns)), j), f32);
  const overJ = (to: Expr, body: readonly Stmt[]): Stmt => loop(j, to, body);
  const body: Stmt[] = [
    { s: 'var', name: 'acc', type: f32, value: lit(0, 'f32') },
    overJ(int(columns), [{ s: 'assign', name: 'acc', value: call('add', acc, x) }]),
    overJ(row, [loop(i, j, [{ s: 'assign', name: 'acc', value: call('add', acc, lit(1000, 'f32')) }], { step: 2 })]),
    { s: 'store', buffer: 1, index: row, value: acc },
  ];
  const code: KernelCode = {
    ...sum(1),
    buffers: [
      { ...sum(1).buffers[0]!, length: rows * columns },
      { ...sum(1).buffers[2]!, name: 'b1', length: rows },
    ],
    workgroupSize: rows,
    groups: 1,
    body,
  };
  const data = Float32Array.from({ length: rows * columns }, (_, k) => k);
  const want = Array.from({ length: rows }, (_, r) => {
    let total = 0;
    for (let c = 0; c < columns; c++) total += data[r * columns + c]!;
    for (let c = 0; c < r; c++) for (let k = 0; k < c; k += 2) total += 1000;
    return total;
  });
  assert.equal(await run(code, data, rows), want);
});

test('loops of more rounds than gpu.js allows by itself', async () => {
  const n = 5000;
  const acc = variable('acc', f32);
  const j = counter('j', n - 1);
  const body: Stmt[] = [
    { s: 'var', name: 'acc', type: f32, value: lit(0, 'f32') },
    loop(j, n, [{ s: 'assign', name: 'acc', value: call('add', acc, load(0, j, f32)) }], {
      from: ref('group', i32, 0, 0),
    }),
    { s: 'store', buffer: 1, index: int(0), value: acc },
  ];
  const [first, , last] = sum(n).buffers;
  const code: KernelCode = {
    ...sum(n),
    buffers: [first!, { ...last!, name: 'b1' }],
    workgroupSize: 1,
    groups: 1,
    body,
  };
  assert.equal(await run(code, new Float32Array(n).fill(1), 1), [n]);
});

test('sums are of doubles, rounded once', async () => {
  const code = elementwise('tiny', 1, ['f32'], 'f32', (_, at) =>
    call('sub', call('add', at(0), lit(2 ** 30, 'f32')), lit(2 ** 30, 'f32')),
  );
  assert.equal(await run(code, Float32Array.of(0.25), 1), [0.25]);
});

test('half and brain floats are rounded where they are stored, and read back as stored', async () => {
  const backend = gpuJs();
  for (const [dtype, stored, expected] of [
    ['f16', [0x3555, 0x7bff, 0x0001], [0.333251953125, 65504, 2 ** -24]],
    ['bf16', [0x3eab, 0x4780, 0x337f], [0.333984375, 65536, 5.9371814e-8]],
  ] as const) {
    const n = stored.length;
    const program = programOf(backend.caps, {
      kernels: [
        kernelOf(
          elementwise('pack', n, ['f32'], dtype, (_, at) => at(0)),
          backend.caps,
        ),
        kernelOf(
          elementwise('unpack', n, [dtype], 'f32', (_, at) => at(0)),
          backend.caps,
        ),
      ],
      steps: [dispatch(0, [0, 1]), dispatch(1, [1, 2])],
      slots: [slot('input', n), slot('output', n, dtype), slot('output', n)],
      inputs: [input('x', 0, n)],
      outputs: [output(1, n, dtype), output(2, n)],
    });
    const executable = await right(backend.load(program));
    const x = await right(backend.upload(Float32Array.of(1 / 3, 65504, 5.94e-8), [n], 'f32'));
    const [packed, unpacked] = await right(executable.run([x], {}));
    assert.equal(await right(packed!.read), Uint16Array.from(stored));
    assert.equal(await right(unpacked!.read), Float32Array.from(expected));
  }
});

test('erf is accurate far beyond f32', async () => {
  const backend = gpuJs();
  const xs = Array.from({ length: 400 }, (_, i) => Math.fround((i - 200) / 31));
  // What f32 cannot hold is brought into its range: (erf - f32 of it) scaled up.
  const f = (x: Expr): Expr => rawCall('erf', [x], f32);
  const code = elementwise('erf', xs.length, ['f32', 'f32'], 'f32', (_, at) =>
    call('mul', call('sub', f(at(0)), at(1)), lit(2 ** 40, 'f32')),
  );
  const program = programOf(backend.caps, {
    kernels: [kernelOf(code, backend.caps)],
    steps: [dispatch(0, [0, 1, 2])],
    slots: [slot('input', xs.length), slot('input', xs.length), slot('output', xs.length)],
    inputs: [input('x', 0, xs.length), input('rounded', 1, xs.length)],
    outputs: [output(2, xs.length)],
  });
  const executable = await right(backend.load(program));
  const rounded = Float32Array.from(xs, (x) => erf(x));
  const x = await right(backend.upload(Float32Array.from(xs), [xs.length], 'f32'));
  const r = await right(backend.upload(rounded, [xs.length], 'f32'));
  const [y] = await right(executable.run([x, r], {}));
  const rest = await right(y!.read);
  xs.forEach((v, i) => {
    const error = Math.abs(rounded[i]! + rest[i]! / 2 ** 40 - erf(v));
    assert.ok(error < 4e-15, `erf(${v}): off by ${error}`);
  });
});

test('refuses what only a GPU has', () => {
  const code = sum(8);
  const refused = (body: readonly Stmt[]): void =>
    assert.throws(() => printJs({ ...code, body }), /kernel 'add'.*no (barriers|workgroup|vectors)|no 'subgroupAdd'/);
  refused([{ s: 'barrier' }]);
  refused([{ s: 'array', name: 'a', type: f32, length: 4 }]);
  refused([{ s: 'store', buffer: 2, index: int(0), value: load(0, int(0), f32x4) }]);
  assert.throws(() => printJs({ ...code, arrays: [{ name: 'a', type: f32, length: 4 }] }), /no workgroup memory/);
});

test.run();
