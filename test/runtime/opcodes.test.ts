// Every opcode on every backend against the interpreter's table: integers exactly, floats within what each promises.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bitcastTo, call, castTo, type Expr, f32, rawCall } from '../../src/compiler/ir/expr.ts';
import type { DType, HostArray } from '../../src/dsl/core/dtype.ts';
import type { Binary, Unary } from '../../src/dsl/core/op.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { forEachBackend, right } from '../support/backends.ts';
import { binary, bitcastScalar, castScalar, roundTo, unary } from '../support/interpret/scalar.ts';
import { dispatch, elementwise, input, kernelOf, output, programOf, slot } from '../support/programs.ts';

const test = suite('runtime: opcodes');

const arrays: Readonly<Record<DType, (values: readonly number[]) => HostArray>> = {
  f32: (v) => Float32Array.from(v),
  f16: (v) => Uint16Array.from(v),
  bf16: (v) => Uint16Array.from(v),
  i32: (v) => Int32Array.from(v),
  u32: (v) => Uint32Array.from(v),
  bool: (v) => Uint32Array.from(v),
};

/** Runs `value` over the columns of `operands` and returns what is stored as `to`. */
const compute = async (
  backend: Backend,
  operands: readonly { readonly dtype: DType; readonly values: readonly number[] }[],
  to: DType,
  value: (args: readonly Expr[]) => Expr,
): Promise<readonly number[]> => {
  const n = operands[0]!.values.length;
  const code = elementwise(
    'op',
    n,
    operands.map((o) => o.dtype),
    to,
    (_, at) => value(operands.map((_, k) => at(k))),
  );
  const program = programOf(backend.caps, {
    kernels: [kernelOf(code, backend.caps)],
    steps: [dispatch(0, [...operands.map((_, k) => k), operands.length])],
    slots: [...operands.map((o) => slot('input', n, o.dtype)), slot('output', n, to)],
    inputs: operands.map((o, k) => input(`x${k}`, k, n, o.dtype)),
    outputs: [output(operands.length, n, to)],
  });
  const executable = await right(backend.load(program));
  const inputs = await Promise.all(operands.map((o) => right(backend.upload(arrays[o.dtype](o.values), [n], o.dtype))));
  const [result] = await right(executable.run(inputs, {}));
  const values = await right(result!.read);
  for (const t of [...inputs, result!]) t.free();
  executable.dispose();
  return Array.from(values);
};

const floats = [0.5, -0.5, 1.5, 2.5, -2.5, 3.25, -7.75, 0.001, 12.5, -30, 0.84, 1, 2.9, 5, -1, 0].map(Math.fround);
const signed = [0, 1, -1, 2, -7, 100, 65_537, -65_537, 2_147_483_647, -2_147_483_648, 123_456_789, -987_654_321];
const unsigned = signed.map((x) => x >>> 0);
const valuesOf: Readonly<Partial<Record<DType, readonly number[]>>> = {
  f32: floats,
  i32: signed,
  u32: unsigned,
  bool: [0, 1],
};

/** All pairs of the values of a dtype. */
const pairs = (d: DType): readonly [readonly number[], readonly number[]] => {
  const all = valuesOf[d]!.flatMap((a) => valuesOf[d]!.map((b) => [a, b] as const));
  return [all.map(([a]) => a), all.map(([, b]) => b)];
};

const check = (
  what: string,
  got: readonly number[],
  want: readonly number[],
  tolerance: number,
  args: readonly (readonly number[])[],
): void => {
  got.forEach((g, i) => {
    const w = want[i]!;
    const close = Math.abs(g - w) <= tolerance * Math.max(1, Math.abs(w)) || Object.is(g, w);
    assert.ok(close, `${what}(${args.map((a) => a[i]).join(', ')}): ${g}, not ${w}`);
  });
};

/** WGSL allows a few units in the last place, and more for transcendental functions of large arguments. */
const toleranceOf = (backend: Backend, d: DType): number => (d !== 'f32' ? 0 : backend.name === 'gpujs' ? 1e-7 : 4e-6);

const unaries: Readonly<Record<Unary, readonly DType[]>> = {
  neg: ['f32', 'i32'],
  abs: ['f32', 'i32'],
  sign: ['f32', 'i32'],
  exp: ['f32'],
  log: ['f32'],
  sqrt: ['f32'],
  rsqrt: ['f32'],
  recip: ['f32'],
  tanh: ['f32'],
  erf: ['f32'],
  sin: ['f32'],
  cos: ['f32'],
  floor: ['f32'],
  ceil: ['f32'],
  round: ['f32'],
  not: ['i32', 'u32', 'bool'],
};
const positive: ReadonlySet<Unary> = new Set(['log', 'sqrt', 'rsqrt', 'recip']);

for (const [fn, dtypes] of Object.entries(unaries) as [Unary, readonly DType[]][])
  forEachBackend(test, fn, async (backend) => {
    for (const d of dtypes) {
      const xs = positive.has(fn) ? floats.filter((x) => x > 0) : valuesOf[d]!;
      const want = xs.map((x) => roundTo(unary[fn](x, d), d));
      const got = await compute(backend, [{ dtype: d, values: xs }], d, ([x]) => call(fn, x!));
      check(`${fn} ${d}`, got, want, toleranceOf(backend, d), [xs]);
    }
  });

const numeric: readonly DType[] = ['f32', 'i32', 'u32'];
const binaries: Readonly<Record<Binary, readonly DType[]>> = {
  add: numeric,
  sub: numeric,
  mul: numeric,
  div: numeric,
  max: numeric,
  min: numeric,
  mod: numeric,
  pow: ['f32'],
  lt: numeric,
  le: numeric,
  eq: [...numeric, 'bool'],
  ne: [...numeric, 'bool'],
  and: ['i32', 'u32', 'bool'],
  or: ['i32', 'u32', 'bool'],
  xor: ['i32', 'u32', 'bool'],
  shl: ['i32', 'u32'],
  shr: ['i32', 'u32'],
};
const compares: ReadonlySet<Binary> = new Set(['lt', 'le', 'eq', 'ne']);

/** Where the language leaves the result open, or a float's magnitude hides the rest. */
const defined = (fn: Binary, d: DType, a: number, b: number): boolean => {
  if (fn === 'pow') return Number.isInteger(b) && Math.abs(b) <= 5 && (a !== 0 || b >= 0);
  if (d === 'f32' && fn === 'div') return b !== 0;
  if (d === 'f32' && fn === 'mod') return Math.abs(b) >= 0.5;
  if (fn === 'shl' || fn === 'shr') return b >= 0 && b < 32;
  return true;
};

for (const [fn, dtypes] of Object.entries(binaries) as [Binary, readonly DType[]][])
  forEachBackend(test, fn, async (backend) => {
    for (const d of dtypes) {
      const [as, bs] = pairs(d);
      const keep = as.map((a, i) => defined(fn, d, a, bs[i]!));
      const [xs, ys] = [as, bs].map((v) => v.filter((_, i) => keep[i])) as [number[], number[]];
      const to = compares.has(fn) ? 'bool' : d;
      const want = xs.map((x, i) => roundTo(binary[fn](x, ys[i]!, d), d));
      const got = await compute(
        backend,
        [
          { dtype: d, values: xs },
          { dtype: d, values: ys },
        ],
        to,
        ([x, y]) => call(fn, x!, y!),
      );
      check(`${fn} ${d}`, got, want, toleranceOf(backend, d), [xs, ys]);
    }
  });

const big = [Number.NaN, 0.9, -0.9, 1e10, -1e10, 4e9, 2_147_483_648, -2_147_483_649, 3.7, -3.7].map(Math.fround);
const casts: readonly (readonly [DType, DType])[] = [
  ['f32', 'i32'],
  ['f32', 'u32'],
  ['f32', 'bool'],
  ['i32', 'f32'],
  ['i32', 'u32'],
  ['i32', 'bool'],
  ['u32', 'f32'],
  ['u32', 'i32'],
  ['bool', 'f32'],
  ['bool', 'i32'],
  ['bool', 'u32'],
];
for (const [from, to] of casts)
  forEachBackend(test, `cast ${from} to ${to}`, async (backend) => {
    const xs = from === 'f32' ? [...floats, ...big] : valuesOf[from]!;
    const want = xs.map((x) => roundTo(castScalar(x, from, to), to));
    const got = await compute(backend, [{ dtype: from, values: xs }], to, ([x]) =>
      castTo(x!, to === 'f16' || to === 'bf16' ? 'f32' : to),
    );
    check(`cast ${from} ${to}`, got, want, 0, [xs]);
  });

for (const [from, to] of [
  ['f32', 'u32'],
  ['f32', 'i32'],
  ['u32', 'i32'],
  ['i32', 'u32'],
  ['u32', 'f32'],
  ['i32', 'f32'],
] as const)
  forEachBackend(test, `bitcast ${from} to ${to}`, async (backend) => {
    const patterns = [0x3f800000, 0xc0490fdb, 0x00800000, 0x7f7fffff, 0x12345678];
    const xs = to === 'f32' ? patterns.map((p) => (from === 'i32' ? p | 0 : p)) : valuesOf[from]!;
    const got = await compute(backend, [{ dtype: from, values: xs }], to, ([x]) => bitcastTo(x!, to));
    check(
      'bitcast',
      got,
      xs.map((x) => bitcastScalar(x, from, to)),
      0,
      [xs],
    );
  });

forEachBackend(test, 'where, roundHalf, roundBfloat, isNonFinite', async (backend) => {
  // Below 2^-14 WGSL may give 0 instead.
  const xs = [1.0009765, 65_519, 0.333333, -2.00001, 6.2e-5].map(Math.fround);
  const operand = { dtype: 'f32', values: xs } as const;
  const half = await compute(backend, [operand], 'f32', ([x]) => rawCall('roundHalf', [x!], f32));
  check(
    'roundHalf',
    half,
    xs.map((x) => roundTo(x, 'f16')),
    0,
    [xs],
  );
  const brain = await compute(backend, [operand], 'f32', ([x]) => rawCall('roundBfloat', [x!], f32));
  check(
    'roundBfloat',
    brain,
    xs.map((x) => roundTo(x, 'bf16')),
    0,
    [xs],
  );
  const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3.4e38, 0];
  const flags = await compute(backend, [{ dtype: 'f32', values: odd }], 'bool', ([x]) => call('isNonFinite', x!));
  assert.equal(flags, [1, 1, 1, 0, 0]);
  const chosen = await compute(
    backend,
    [
      { dtype: 'bool', values: [1, 0] },
      { dtype: 'u32', values: [4_294_967_295, 1] },
      { dtype: 'u32', values: [2, 16_777_217] },
    ],
    'u32',
    ([c, a, b]) => call('where', c!, a!, b!),
  );
  assert.equal(chosen, [4_294_967_295, 16_777_217]);
});

test.run();
