// Scalar semantics of every opcode in doubles, with exact 32-bit integers: a second opinion, not the compiler's tables.

import { bf16FromFloats, f16FromFloats, floatsFromBf16, floatsFromF16 } from '../../../src/data/safetensors/half.ts';
import type { DType } from '../../../src/dsl/core/dtype.ts';
import type { Binary, Unary } from '../../../src/dsl/core/op.ts';

const roundHalfEven = (x: number): number => {
  const below = Math.floor(x);
  const rest = x - below;
  if (rest !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
};

/** The error function by its all-positive series: accurate to a few units in the last place of a double. */
export const erf = (x: number): number => {
  const a = Math.abs(x);
  if (a > 6) return Math.sign(x);
  let term = a;
  let total = a;
  for (let n = 1; n < 300 && term > total * 1e-18; n++) {
    term *= (2 * a * a) / (2 * n + 1);
    total += term;
  }
  return Math.sign(x) * (2 / Math.sqrt(Math.PI)) * Math.exp(-a * a) * total;
};

/** Wraps an integer result, leaves a float one. */
const fit = (x: number, d: DType): number => (d === 'i32' ? x | 0 : d === 'u32' ? x >>> 0 : x);

export const unary: Readonly<Record<Unary, (x: number, d: DType) => number>> = {
  neg: (x, d) => fit(-x, d),
  abs: (x, d) => fit(Math.abs(x), d),
  sign: (x) => Math.sign(x),
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  rsqrt: (x) => 1 / Math.sqrt(x),
  recip: (x) => 1 / x,
  tanh: Math.tanh,
  erf,
  sin: Math.sin,
  cos: Math.cos,
  floor: Math.floor,
  ceil: Math.ceil,
  round: roundHalfEven,
  not: (x, d) => (d === 'bool' ? 1 - x : fit(~x, d)),
};

const integral = (d: DType): boolean => d === 'i32' || d === 'u32';
const bit = (b: boolean): number => (b ? 1 : 0);

/** `d` is the operands' dtype. Integer division truncates; x / 0 is x and x % 0 is 0, as in WGSL. */
export const binary: Readonly<Record<Binary, (a: number, b: number, d: DType) => number>> = {
  add: (a, b, d) => fit(a + b, d),
  sub: (a, b, d) => fit(a - b, d),
  mul: (a, b, d) => (integral(d) ? fit(Math.imul(a, b), d) : a * b),
  div: (a, b, d) => (integral(d) ? (b === 0 ? a : fit(Math.trunc(a / b), d)) : a / b),
  max: (a, b) => Math.max(a, b),
  min: (a, b) => Math.min(a, b),
  pow: (a, b) => a ** b,
  mod: (a, b, d) => (integral(d) ? (b === 0 ? 0 : fit(a % b, d)) : a % b),
  lt: (a, b) => bit(a < b),
  le: (a, b) => bit(a <= b),
  eq: (a, b) => bit(a === b),
  ne: (a, b) => bit(a !== b),
  and: (a, b, d) => fit(a & b, d),
  or: (a, b, d) => fit(a | b, d),
  xor: (a, b, d) => fit(a ^ b, d),
  shl: (a, b, d) => fit(a << (b & 31), d),
  shr: (a, b, d) => (d === 'u32' ? (a >>> (b & 31)) >>> 0 : a >> (b & 31)),
};

const half = (x: number): number => floatsFromF16(f16FromFloats(Float32Array.of(x)))[0]!;
const brain = (x: number): number => floatsFromBf16(bf16FromFloats(Float32Array.of(x)))[0]!;

/** The nearest value of a float dtype; integers and bool pass through. */
export const roundTo = (x: number, d: DType): number =>
  d === 'f32' ? Math.fround(x) : d === 'f16' ? half(x) : d === 'bf16' ? brain(x) : x;

const clampTo = (x: number, lo: number, hi: number): number =>
  Number.isNaN(x) ? 0 : Math.min(hi, Math.max(lo, Math.trunc(x))) + 0;

/** Float to integer truncates and saturates; between integers the bits stay; anything non-zero is true. f32 stays a double. */
export const castScalar = (x: number, from: DType, to: DType): number => {
  if (to === 'bool') return bit(x !== 0);
  if (to === 'f16' || to === 'bf16') return roundTo(x, to);
  if (to === 'f32') return x;
  if (integral(from) || from === 'bool') return fit(x, to);
  return to === 'i32' ? clampTo(x, -2147483648, 2147483647) : clampTo(x, 0, 4294967295);
};

const words = new DataView(new ArrayBuffer(4));
export const bitcastScalar = (x: number, from: DType, to: DType): number => {
  if (from === 'f32') words.setFloat32(0, x);
  else if (from === 'i32') words.setInt32(0, x);
  else words.setUint32(0, x);
  return to === 'f32' ? words.getFloat32(0) : to === 'i32' ? words.getInt32(0) : words.getUint32(0);
};

/** threefry-2x32 with 20 rounds (Salmon and others, 2011): both output words. */
export const threefry2x32 = (k0: number, k1: number, c0: number, c1: number): readonly [number, number] => {
  const rotations = [13, 15, 26, 6, 17, 29, 16, 24];
  const keys = [k0, k1, k0 ^ k1 ^ 0x1bd11bda];
  let x0 = (c0 + k0) | 0;
  let x1 = (c1 + k1) | 0;
  for (let round = 0; round < 20; round++) {
    const r = rotations[round % 8]!;
    x0 = (x0 + x1) | 0;
    x1 = ((x1 << r) | (x1 >>> (32 - r))) ^ x0;
    if (round % 4 === 3) {
      const i = (round + 1) / 4;
      x0 = (x0 + keys[i % 3]!) | 0;
      x1 = (x1 + keys[(i + 1) % 3]! + i) | 0;
    }
  }
  return [x0 >>> 0, x1 >>> 0];
};
