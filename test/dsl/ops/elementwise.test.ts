import { pipe } from 'fp-ts/lib/function.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Binary, Unary } from '../../../src/dsl/core/op.ts';
import {
  gelu,
  geluTanh,
  leakyRelu,
  quickGelu,
  relu,
  sigmoid,
  silu,
  softplus,
} from '../../../src/dsl/ops/activations.ts';
import * as E from '../../../src/dsl/ops/elementwise.ts';
import { tensor } from '../../../src/dsl/ops/inputs.ts';
import { sum } from '../../../src/dsl/ops/reduce.ts';
import { grad } from '../../../src/dsl/transform/index.ts';
import { close, doubles, refuses, valuesOf } from '../../support/values.ts';

const t = suite('ops: elementwise');
const x = doubles('x', [2, 3], (_, i) => [-3.5, -1, -0.25, 0, 0.75, 2.5][i]!);
const y = doubles('y', [2, 3], (_, i) => [2, -1.5, 0.25, 3, 0.75, -2][i]!);
const [xs, ys] = [valuesOf(x), valuesOf(y)];
const each = (f: (a: number, b: number) => number): readonly number[] => xs.map((a, i) => f(a, ys[i]!));

t('unary operations are those of Math', () => {
  const table: readonly (readonly [unknown, (a: number) => number])[] = [
    [E.neg(x), (a) => -a],
    [E.abs(x), Math.abs],
    [E.sign(x), Math.sign],
    [E.exp(x), Math.exp],
    [E.tanh(x), Math.tanh],
    [E.sin(x), Math.sin],
    [E.cos(x), Math.cos],
    [E.floor(x), Math.floor],
    [E.ceil(x), Math.ceil],
    [E.square(x), (a) => a * a],
  ];
  for (const [got, f] of table) close(got as typeof x, xs.map(f));
  const positive = E.add(E.square(x), 0.5);
  const ps = xs.map((a) => a * a + 0.5);
  close(E.log(positive), ps.map(Math.log));
  close(E.sqrt(positive), ps.map(Math.sqrt));
  close(
    E.rsqrt(positive),
    ps.map((a) => 1 / Math.sqrt(a)),
  );
  close(
    E.recip(positive),
    ps.map((a) => 1 / a),
  );
  close(E.round(tensor([0.5, 1.5, 2.5, -0.5, 2.4])), [0, 2, 2, 0, 2]);
});

t('binary operations, of tensors and of numbers', () => {
  close(
    E.add(x, y),
    each((a, b) => a + b),
  );
  close(
    E.sub(x, y),
    each((a, b) => a - b),
  );
  close(
    E.mul(x, y),
    each((a, b) => a * b),
  );
  close(
    E.div(x, y),
    each((a, b) => a / b),
  );
  close(E.maximum(x, y), each(Math.max));
  close(E.minimum(x, y), each(Math.min));
  close(
    E.mod(x, y),
    each((a, b) => a % b),
  );
  close(
    E.sub(x, 1.5),
    xs.map((a) => a - 1.5),
  );
  close(
    E.pow(x, 2),
    xs.map((a) => a ** 2),
  );
  close(
    E.pow(x, 3),
    xs.map((a) => a ** 3),
  );
  close(
    E.pow(E.abs(x), 2.5),
    xs.map((a) => Math.abs(a) ** 2.5),
  );
  close(E.div(tensor([7, -7, 5], 'i32'), 2), [3, -3, 2]);
});

t('the data-last form builds the same expression', () => {
  assert.is(pipe(x, E.sub(y)), E.sub(x, y));
  assert.is(pipe(x, E.div(2)), E.div(x, 2));
  assert.is(pipe(x, E.lt(y)), E.lt(x, y));
});

t('comparisons and logic', () => {
  const bits = (f: (a: number, b: number) => boolean) => each((a, b) => Number(f(a, b)));
  close(
    E.lt(x, y),
    bits((a, b) => a < b),
  );
  close(
    E.le(x, y),
    bits((a, b) => a <= b),
  );
  close(
    E.gt(x, y),
    bits((a, b) => a > b),
  );
  close(
    E.ge(x, y),
    bits((a, b) => a >= b),
  );
  close(
    E.eq(x, y),
    bits((a, b) => a === b),
  );
  close(
    E.ne(x, 0),
    xs.map((a) => Number(a !== 0)),
  );
  close(
    E.and(E.lt(x, 1), E.gt(x, -2)),
    xs.map((a) => Number(a < 1 && a > -2)),
  );
  close(
    E.not(E.lt(x, 1)),
    xs.map((a) => Number(a >= 1)),
  );
  const n = tensor([12, 10, 255], 'u32');
  close(E.and(n, 6), [4, 2, 6]);
  close(E.or(n, 1), [13, 11, 255]);
  close(E.xor(n, 255), [243, 245, 0]);
  close(E.shl(n, 4), [192, 160, 4080]);
  close(E.shr(n, 2), [3, 2, 63]);
});

t('where takes a number for one branch', () => {
  close(E.where(E.lt(x, y), x, y), each(Math.min));
  close(
    E.where(E.lt(x, 0), 0, x),
    xs.map((a) => Math.max(a, 0)),
  );
  close(
    E.where(E.lt(x, 0), x, 7),
    xs.map((a) => (a < 0 ? a : 7)),
  );
});

t('clamp, cast, bitcast, NaN', () => {
  close(grad((v: typeof x) => sum(E.clamp(-1, 2.5)(v)))(x), [0, 1, 1, 1, 1, 1]);
  close(
    E.clamp(-1, 2)(x),
    xs.map((a) => Math.min(2, Math.max(-1, a))),
  );
  close(E.cast('i32')(x), [-3, -1, 0, 0, 0, 2]);
  close(E.cast('bool')(x), [1, 1, 1, 0, 1, 1]);
  close(E.bitcast('u32')(tensor([1])), [0x3f800000]);
  const odd = E.div(tensor([0, 1, -1, 5]), tensor([0, 0, 0, 2]));
  close(E.isnan(odd), [1, 0, 0, 0]);
  close(E.isfinite(odd), [0, 0, 0, 1]);
});

t('activations', () => {
  const erf = (a: number) => valuesOf(E.erf(tensor([a])))[0]!;
  const logistic = (a: number) => 1 / (1 + Math.exp(-a));
  close(
    relu(x),
    xs.map((a) => Math.max(0, a)),
  );
  close(
    leakyRelu(0.2)(x),
    xs.map((a) => (a < 0 ? 0.2 * a : a)),
  );
  close(sigmoid(x), xs.map(logistic));
  close(
    silu(x),
    xs.map((a) => a * logistic(a)),
  );
  close(
    quickGelu(x),
    xs.map((a) => a * logistic(1.702 * a)),
  );
  close(
    gelu(x),
    xs.map((a) => 0.5 * a * (1 + erf(a / Math.SQRT2))),
    1e-7,
  );
  close(
    geluTanh(x),
    xs.map((a) => 0.5 * a * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (a + 0.044715 * a ** 3)))),
  );
  close(
    softplus(x),
    xs.map((a) => Math.log1p(Math.exp(a))),
  );
  const far = tensor([-1000, 1000]);
  close(sigmoid(far), [0, 1], 1e-30);
  close(silu(far), [0, 1000], 1e-30);
  close(softplus(far), [0, 1000], 1e-30);
  // Within the roundings of a half so small.
  const half = tensor([-60000, -100, -12, 60000], 'f16');
  close(silu(half), [0, 0, -12 * logistic(-12), 60000], 1e-7);
  close(quickGelu(half), [0, 0, -12 * logistic(1.702 * -12), 60000], 1e-7);
  close(
    grad((v: typeof half) => sum(E.cast('f32')(silu(v))))(half),
    [0, 0, -11 * logistic(-12) + 12 * logistic(-12) ** 2, 1],
    1e-7,
  );
  close(
    softplus(tensor([-17, -40])),
    [-17, -40].map((a) => Math.log1p(Math.exp(a))),
    1e-20,
  );
});

t('mistakes are named', () => {
  refuses(() => E.add(x, Number.POSITIVE_INFINITY), 'add', 'Infinity is outside of f32', 'hint');
  refuses(() => E.add(tensor([1], 'i32'), 0.5), '0.5 is no i32', "cast the tensor to 'f32'");
  refuses(() => E.shl(tensor([1], 'u32'), -1), '-1 is outside of u32');
  refuses(() => E.clamp(2, 1)(x), 'clamp', 'from 2 to 1');
  const unknown: readonly number[] = [4];
  refuses(() => E.add(x, doubles('long', unknown)), 'add', 'shapes differ: f32[2, 3], f32[4]', 'elementwise.test.ts');
});

t('every opcode of the core has an operation', () => {
  const of: Record<Unary | Binary, unknown> = {
    neg: E.neg,
    abs: E.abs,
    sign: E.sign,
    exp: E.exp,
    log: E.log,
    sqrt: E.sqrt,
    rsqrt: E.rsqrt,
    recip: E.recip,
    tanh: E.tanh,
    erf: E.erf,
    sin: E.sin,
    cos: E.cos,
    floor: E.floor,
    ceil: E.ceil,
    round: E.round,
    not: E.not,
    add: E.add,
    sub: E.sub,
    mul: E.mul,
    div: E.div,
    max: E.maximum,
    min: E.minimum,
    pow: E.pow,
    mod: E.mod,
    lt: E.lt,
    le: E.le,
    eq: E.eq,
    ne: E.ne,
    and: E.and,
    or: E.or,
    xor: E.xor,
    shl: E.shl,
    shr: E.shr,
  };
  for (const [name, op] of Object.entries(of)) assert.type(op, 'function', name);
});

t.run();
