// Functions of WebAssembly kernels, assembled and run: floats within their stated errors over all exponents, 16-bit patterns and integers exactly.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type MathName, mathFunctions, withNeeds } from '../../src/compiler/wasm/math.ts';
import { bf16FromFloats, f16FromFloats, floatsFromBf16, floatsFromF16 } from '../../src/data/safetensors/half.ts';
import { assemble } from '../../src/runtime/wasm/assemble.ts';
import { findEngine } from '../../src/runtime/wasm/engine.ts';
import { binary, castScalar, erf } from '../support/interpret/scalar.ts';

const test = suite('WebAssembly functions');

const COUNT = 2 ** 18;
const BYTES = COUNT * 4;
const names = Object.keys(mathFunctions) as MathName[];

/** A function over the memory's first COUNT words, and the next as a second operand, into the third. */
const driver = (name: string, text: string): string => {
  const [head] = text.split('\n');
  const params = [...head!.matchAll(/\(param \S+ (\w+)\)/g)].map((m) => m[1]!);
  const result = /\(result (\w+)\)/.exec(head!)![1];
  const loads = params.map((p, k) => `(${p}.load offset=${k * BYTES} (local.get $i))`).join(' ');
  return `(func $over_${name} (local $i i32) (loop $next
    (${result}.store offset=${2 * BYTES} (local.get $i) (call $${name} ${loads}))
    (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const ${result === 'v128' ? 16 : 4}))) (i32.const ${BYTES})))))`;
};

const pages = (3 * BYTES) / 65536;
const text = `(module (import "env" "memory" (memory ${pages} ${pages} shared))
${[...withNeeds(names), ...names.map((n) => driver(n, mathFunctions[n].text))].join('\n')}
(table funcref (elem ${names.map((n) => `$over_${n}`).join(' ')}))
(func (export "run") (param $which i32) (call_indirect (local.get $which))))`;
const engine = findEngine();
const memory = new engine.Memory({ initial: pages, maximum: pages, shared: true });
const module = await engine.compile(await assemble(text, 'functions'));
const { exports } = new engine.Instance(module, { env: { memory } });
const words = new Uint32Array(memory.buffer);

/** Bit patterns of `name` over up to COUNT bit patterns. */
const run = (name: MathName, x: ArrayLike<number>, y?: ArrayLike<number>): Uint32Array<ArrayBuffer> => {
  words.set(x, 0);
  if (y) words.set(y, COUNT);
  exports.run!(names.indexOf(name));
  return words.slice(2 * COUNT, 2 * COUNT + x.length);
};

const bitsOf = (x: Float32Array): Uint32Array => new Uint32Array(x.buffer, x.byteOffset, x.length);
const floatsOf = (bits: Uint32Array): Float32Array => new Float32Array(bits.buffer, bits.byteOffset, bits.length);

/** A repeatable source of words. */
const random = (() => {
  let s = 1;
  return (): number => {
    s = (s + 0x9e3779b9) | 0;
    let t = Math.imul(s ^ (s >>> 16), 0x21f0aaad);
    t = Math.imul(t ^ (t >>> 15), 0x735a2d97);
    return (t ^ (t >>> 15)) >>> 0;
  };
})();
const uniform = (lo: number, hi: number): number => lo + ((hi - lo) * random()) / 2 ** 32;

const specials = [
  ...[0, 1, 2, 3, 0x7fffff, 0x800000, 0x7f7fffff, 0x7f800000, 0x7f800001, 0x7fc00000, 0x3f800000, 0x3f7fffff],
  ...[0x3f800001, 0x3f3504f3, 0x3f3504f2, 0x42b17218, 0x42b17217, 0x42cff1b5, 0x42aeac50, 0x40490fdb, 0x3fc90fdb],
].flatMap((b) => [b, (b | 0x80000000) >>> 0]);

/** Patterns of all signs and exponents with random fractions, between specials. */
const everywhere = (): Uint32Array =>
  Uint32Array.from({ length: COUNT }, (_, i) => specials[i] ?? i * 2 ** 14 + (random() >>> 18));
const between = (lo: number, hi: number): Uint32Array =>
  bitsOf(Float32Array.from({ length: COUNT }, () => uniform(lo, hi)));
const bitsBetween = (lo: number, hi: number): Uint32Array => {
  const [from, to] = bitsOf(Float32Array.of(lo, hi));
  return Uint32Array.from({ length: COUNT }, () => Math.floor(uniform(from!, to!)));
};

const scratch = new Float64Array(1);
const scratchWords = new Uint32Array(scratch.buffer);
const ulp = (x: number): number => {
  scratch[0] = x;
  return 2 ** (Math.max(((scratchWords[1]! >>> 20) & 0x7ff) - 1023, -126) - 23);
};
const finite = (x: number): number => (Math.abs(x) >= 2 ** 128 ? Math.sign(x) * 2 ** 128 : x);

/** The largest error in ulp, or Infinity where NaN, an infinity's or a zero's sign differs. */
const worst = (got: Float32Array, want: (i: number) => number, absolute = 0): readonly [number, number] => {
  let [most, at] = [0, 0];
  for (let i = 0; i < got.length; i++) {
    const [g, w] = [got[i]!, want(i)];
    let e = 0;
    if (Number.isNaN(w)) e = Number.isNaN(g) ? 0 : Infinity;
    else if (w === 0) e = Object.is(g, w) ? 0 : Infinity;
    else if (!(Math.abs(g - w) <= absolute)) e = Math.abs(finite(g) - finite(w)) / ulp(finite(w));
    if (Number.isNaN(e)) e = Infinity;
    if (e > most) [most, at] = [e, i];
  }
  return [most, at];
};

type EitherWay =
  | 'exp'
  | 'log'
  | 'tanh'
  | 'erf'
  | 'sin'
  | 'cos'
  | 'pow'
  | `${'from' | 'to' | 'round'}${'Half' | 'Bfloat'}`;
const sameBits = (name: EitherWay, x: Uint32Array, vector: Uint32Array, y?: Uint32Array): void => {
  const single = run(`${name}1`, x, y);
  const i = single.findIndex((b, k) => b !== vector[k]);
  assert.is(i, -1, `${name}1 and ${name}4 differ at pattern ${x[i]}: ${single[i]}, ${vector[i]}`);
};

const checkUnary = (name: EitherWay, f: (x: number) => number, bound: number, sweeps: readonly Uint32Array[]): void => {
  for (const [k, bits] of sweeps.entries()) {
    const got = run(`${name}4`, bits);
    const x = floatsOf(bits);
    const [e, i] = worst(floatsOf(got), (k) => f(x[k]!));
    assert.ok(e <= bound, `${name}(${x[i]}) is ${floatsOf(got)[i]}, not ${f(x[i]!)}: ${e} ulp`);
    if (k === 0) sameBits(name, bits, got);
  }
};

test('exp', () => checkUnary('exp', Math.exp, 1, [everywhere(), between(-104, 89), between(-1, 1)]));
test('log', () => checkUnary('log', Math.log, 0.9, [everywhere(), bitsBetween(0.25, 4), bitsBetween(1e-45, 1e-38)]));
test('tanh', () => checkUnary('tanh', Math.tanh, 1.8, [everywhere(), between(-10, 10), between(-1, 1)]));
test('erf', () =>
  checkUnary('erf', (x) => (x === 0 || Number.isNaN(x) ? x : erf(x)), 1.6, [
    everywhere(),
    between(-4, 4),
    bitsBetween(0.25, 2),
  ]));

for (const [name, f] of [
  ['sin', Math.sin],
  ['cos', Math.cos],
] as const)
  test(name, () => {
    checkUnary(name, f, 1.6, [between(-1e5, 1e5), between(-10, 10), between(-1, 1), bitsBetween(1e-45, 1e6)]);
    const bits = everywhere();
    const got = floatsOf(run(`${name}4`, bits));
    floatsOf(bits).forEach((x, i) => {
      if (!Number.isFinite(x)) assert.ok(Number.isNaN(got[i]!), `${name}(${x})`);
      else assert.ok(Math.abs(got[i]!) <= 1, `${name}(${x}) is ${got[i]}`);
      if (Math.abs(x) <= 1e8) assert.ok(Math.abs(got[i]! - f(x)) <= 2e-7, `${name}(${x}) is ${got[i]}`);
    });
    sameBits(name, bits, bitsOf(got));
  });

/** |x|^y, negated where x is negative and y odd: what kernels mean by pow. */
const pow = (x: number, y: number): number => {
  const r = Math.abs(x) ** y;
  return x < 0 && Math.abs(y % 2) === 1 ? -r : r;
};

test('pow', () => {
  const pick = (of: readonly number[]): number => of[random() % of.length]!;
  const edges = [
    ...[0, -0, 1, -1, 2, -2, 3, 0.5, -0.5, 2.5, 16777216, 16777217],
    ...[Infinity, -Infinity, NaN, 1e-45, -1e-45, 3e38],
  ];
  const bases = new Float32Array(COUNT);
  const exponents = new Float32Array(COUNT);
  for (let i = 0; i < COUNT; i++) {
    const everyday = i % 4 > 0;
    bases[i] = everyday ? 2 ** uniform(-30, 30) * (i % 4 === 3 ? -1 : 1) : pick(edges);
    const most = everyday ? 23 / Math.abs(Math.log(Math.abs(bases[i]!))) : 200;
    exponents[i] = i % 8 < 4 ? uniform(-most, most) : i % 16 === 8 ? pick(edges) : Math.round(uniform(-9, 9));
  }
  for (const [x, y] of [
    [bitsOf(bases), bitsOf(exponents)],
    [everywhere(), everywhere().reverse()],
  ] as const) {
    const got = run('pow4', x, y);
    const [e, i] = worst(floatsOf(got), (k) => pow(floatsOf(x)[k]!, floatsOf(y)[k]!));
    assert.ok(e <= 0.6, `pow(${floatsOf(x)[i]}, ${floatsOf(y)[i]}) is ${floatsOf(got)[i]}: ${e} ulp`);
    sameBits('pow', x, got, y);
  }
});

/** Equal patterns; a NaN for a NaN. */
const sameFloats = (what: string, x: ArrayLike<number>, got: Float32Array, want: Float32Array): void => {
  const i = got.findIndex((g, k) => !Object.is(g, want[k]!));
  assert.is(i, -1, `${what} of ${x[i]} is ${got[i]}, not ${want[i]}`);
};
const samePatterns = (what: string, x: Float32Array, got: Uint32Array, want: Uint16Array): void => {
  const i = got.findIndex((g, k) => g !== want[k]);
  assert.is(i, -1, `${what} of ${x[i]} is ${got[i]}, not ${want[i]}`);
};

for (const [name, floatsFrom, fromFloats] of [
  ['Half', floatsFromF16, f16FromFloats],
  ['Bfloat', floatsFromBf16, bf16FromFloats],
] as const)
  test(`${name}: all patterns, and f32 to the nearest`, () => {
    const patterns = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const values = floatsFrom(patterns);
    const wide = run(`from${name}4`, patterns);
    sameFloats(`from${name}4`, patterns, floatsOf(wide), values);
    sameBits(`from${name}`, Uint32Array.from(patterns), wide);
    // All values of the type, what lies halfway to the next, and the f32 next to those.
    const exact = bitsOf(values).filter((_, i) => !Number.isNaN(values[i]!));
    const half = name === 'Half' ? 0x1000 : 0x8000;
    const near = Uint32Array.from([-half - 1, -half, 1 - half, 0].flatMap((d) => [...exact].map((b) => b + d)));
    for (const bits of [near.subarray(0, COUNT), everywhere(), between(-0.0002, 0.0002)]) {
      const x = floatsOf(bits);
      const want = fromFloats(x);
      const narrow = run(`to${name}4`, bits);
      samePatterns(`to${name}4`, x, narrow, want);
      sameBits(`to${name}`, bits, narrow);
      const rounded = run(`round${name}4`, bits);
      sameFloats(`round${name}4`, x, floatsOf(rounded), floatsFrom(want));
      sameBits(`round${name}`, bits, rounded);
    }
  });

test('integer division and remainder never trap', () => {
  const edges = [0, 1, -1, 2, -2, 3, 7, -7, 2147483647, -2147483648, -2147483647, 65537, 123456789, -987654321];
  const a = Int32Array.from({ length: COUNT }, (_, i) => edges[i % 14] ?? 0);
  const b = Int32Array.from({ length: COUNT }, (_, i) => edges[Math.floor(i / 14) % 14]!);
  for (let i = 196; i < COUNT; i++) {
    a[i] = random();
    b[i] = random() >> (random() & 31);
  }
  const views = { i32: [a, b], u32: [new Uint32Array(a.buffer), new Uint32Array(b.buffer)] } as const;
  for (const [name, fn, dtype] of [
    ['divS', 'div', 'i32'],
    ['remS', 'mod', 'i32'],
    ['divU', 'div', 'u32'],
    ['remU', 'mod', 'u32'],
  ] as const) {
    const [x, y] = views[dtype];
    run(name, a, b).forEach((bits, i) => {
      // A zero of either sign is the integer 0.
      const want = binary[fn](x[i]!, y[i]!, dtype) + 0;
      const got = dtype === 'i32' ? bits | 0 : bits;
      if (got !== want) assert.unreachable(`${name}(${x[i]}, ${y[i]}) is ${got}, not ${want}`);
    });
  }
});

test('floats to integers saturate, NaN is 0', () => {
  const bits = everywhere();
  for (const [name, dtype] of [
    ['truncS', 'i32'],
    ['truncU', 'u32'],
  ] as const) {
    const got = run(name, bits);
    floatsOf(bits).forEach((x, i) => {
      const g = dtype === 'i32' ? got[i]! | 0 : got[i]!;
      const want = castScalar(x, 'f32', dtype);
      if (g !== want) assert.unreachable(`${name}(${x}) is ${g}, not ${want}`);
    });
  }
});

test('what a function needs comes once, in the order of the table', async () => {
  const texts = withNeeds(['pow1', 'divS', 'exp1', 'exp4', 'exp1']);
  const order = ['exp4', 'pow4', 'exp1', 'pow1', 'divS'] as const;
  assert.equal(
    texts,
    order.map((n) => mathFunctions[n].text),
  );
  assert.ok(engine.validate(await assemble(`(module ${texts.join('\n')})`, 'needs')));
});

test.run();
