// How WGSL spells each opcode, and the helper functions that some need.
import type { Expr, Fn, Type } from '../ir/expr.ts';

export type Helper = 'dt_infinity' | 'dt_erf' | 'dt_pow' | 'dt_bf16' | 'dt_tanh' | 'dt_mod' | 'dt_i32' | 'dt_u32';

export const helpers: Readonly<Record<Helper, string>> = {
  // WGSL has no word for infinity, and refuses what it can work out to be one.
  dt_infinity: `fn dt_infinity(negative: bool) -> f32 {
  return bitcast<f32>(select(0x7f800000u, 0xff800000u, negative));
}`,
  // Rational approximation up to 3.8325, within 2 ulp of f32, and the sign beyond. clamp would make a number of NaN.
  dt_erf: `fn dt_erf(v: f32) -> f32 {
  let nan = (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u;
  let x = clamp(v, -3.832506856900711f, 3.832506856900711f);
  let s = x * x;
  var p = fma(s, -2.72614225801306e-10f, 2.77068142495902e-08f);
  p = fma(s, p, -2.10102402082508e-06f);
  p = fma(s, p, -5.69250639462346e-05f);
  p = fma(s, p, -7.34990630326855e-04f);
  p = fma(s, p, -2.95459980854025e-03f);
  p = fma(s, p, -1.60960333262415e-02f);
  var q = fma(s, -1.45660718464996e-05f, -2.13374055278905e-04f);
  q = fma(s, q, -1.68282697438203e-03f);
  q = fma(s, q, -7.37332916720468e-03f);
  q = fma(s, q, -1.42647390514189e-02f);
  return select(select(x * p / q, sign(v), abs(v) >= 3.832506856900711f), v, nan);
}`,
  // pow of WGSL is undefined below 0, where whole exponents are not, and goes through log2, which 0 has none of.
  dt_pow: `fn dt_pow(x: f32, y: f32) -> f32 {
  let p = select(pow(abs(x), y), bitcast<f32>(select(0u, 0x7f800000u, y < 0.0f)), x == 0.0f);
  let r = select(p, 1.0f, y == 0.0f);
  let odd = abs(y - 2.0f * floor(y * 0.5f)) == 1.0f;
  return select(r, -r, x < 0.0f && odd);
}`,
  // Round to nearest even at 8 bits of precision.
  dt_bf16: `fn dt_bf16(x: f32) -> f32 {
  let b = bitcast<u32>(x);
  return bitcast<f32>((b + 0x7fffu + ((b >> 16u) & 1u)) & 0xffff0000u);
}`,
  // Large arguments overflow inside some drivers' tanh, and clamp makes a number of NaN.
  dt_tanh: `fn dt_tanh(x: f32) -> f32 {
  let nan = (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
  return select(tanh(clamp(x, -10.0f, 10.0f)), x, nan);
}`,
  // % of WGSL is x - y * trunc(x / y), all of it rounded. Here a quotient has 12 bits and the divisor two halves, so products are exact.
  dt_mod: `fn dt_mod(x: f32, y: f32) -> f32 {
  let b = abs(y);
  let high = bitcast<f32>(bitcast<u32>(b) & 0xfffff000u);
  let low = b - high;
  var r = abs(x);
  for (var i = 0; i < 32 && abs(r) >= b; i++) {
    let q = bitcast<f32>(bitcast<u32>(trunc(r / b)) & 0xfffff000u);
    r = (r - q * high) - q * low;
  }
  r = select(r, r + b, r < 0.0f);
  r = select(r, r - b, r >= b);
  let signed = bitcast<f32>(bitcast<u32>(r) | (bitcast<u32>(x) & 0x80000000u));
  return select(signed, y, bitcast<u32>(b) > 0x7f800000u);
}`,
  // WGSL saturates at the last f32 below the integer's limit, and says nothing of NaN: here it is 0.
  dt_i32: `fn dt_i32(x: f32) -> i32 {
  let nan = (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
  return select(select(i32(x), 2147483647i, x >= 2147483648.0f), 0i, nan);
}`,
  dt_u32: `fn dt_u32(x: f32) -> u32 {
  let nan = (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
  return select(select(u32(x), 4294967295u, x >= 4294967296.0f), 0u, nan);
}`,
};

export interface Spelling {
  readonly text: (args: readonly string[], e: Expr, of: readonly Expr[]) => string;
  /** The helper that the text calls, if any for these types. */
  readonly helper?: (e: Expr, of: readonly Expr[]) => Helper | null;
}

export const typeText = (t: Type): string => (t.width === 1 ? t.scalar : `vec${t.width}<${t.scalar}>`);

const fn = (name: string): Spelling => ({ text: (a) => `${name}(${a.join(', ')})` });
const helped = (name: Helper): Spelling => ({ ...fn(name), helper: () => name });
const infix = (op: string): Spelling => ({ text: (a) => `(${a[0]} ${op} ${a[1]})` });
const isBool = (of: readonly Expr[]): boolean => of[0]!.type.scalar === 'bool';
const isF32 = (of: readonly Expr[]): boolean => of[0]!.type.scalar === 'f32';

/** The helper that a cast from a float to an integer is. */
const saturating = (e: Expr, of: readonly Expr[]): Helper | null => {
  if (e.type.width > 1 || of[0]!.type.scalar !== 'f32') return null;
  return e.type.scalar === 'i32' ? 'dt_i32' : e.type.scalar === 'u32' ? 'dt_u32' : null;
};

export const spellings = {
  neg: { text: ([a]) => `(-${a})` },
  abs: fn('abs'),
  // WGSL's sign takes no unsigned numbers.
  sign: { text: ([a], e) => (e.type.scalar === 'u32' ? `min(${a}, 1u)` : `sign(${a})`) },
  exp: fn('exp'),
  log: fn('log'),
  sqrt: fn('sqrt'),
  rsqrt: fn('inverseSqrt'),
  recip: { text: ([a]) => `(1.0f / ${a})` },
  tanh: helped('dt_tanh'),
  erf: helped('dt_erf'),
  sin: fn('sin'),
  cos: fn('cos'),
  floor: fn('floor'),
  ceil: fn('ceil'),
  round: fn('round'),
  not: { text: ([a], _, of) => (isBool(of) ? `(!${a})` : `(~${a})`) },
  add: infix('+'),
  sub: infix('-'),
  mul: infix('*'),
  div: infix('/'),
  max: fn('max'),
  min: fn('min'),
  pow: helped('dt_pow'),
  // The sign of the dividend; a remainder by the integer 0 is 0.
  mod: {
    text: ([a, b], _, of) => (isF32(of) ? `dt_mod(${a}, ${b})` : `(${a} % ${b})`),
    helper: (_, of) => (isF32(of) ? 'dt_mod' : null),
  },
  lt: infix('<'),
  le: infix('<='),
  eq: infix('=='),
  ne: infix('!='),
  // Not short-circuit: branches cost more than both sides.
  and: infix('&'),
  or: infix('|'),
  xor: { text: ([a, b], _, of) => (isBool(of) ? `(${a} != ${b})` : `(${a} ^ ${b})`) },
  shl: { text: ([a, b], _, of) => `(${a} << ${of[1]!.type.scalar === 'u32' ? b : `u32(${b})`})` },
  shr: { text: ([a, b], _, of) => `(${a} >> ${of[1]!.type.scalar === 'u32' ? b : `u32(${b})`})` },
  where: { text: ([c, a, b]) => `select(${b}, ${a}, ${c})` },
  cast: {
    text: ([a], e, of) => `${saturating(e, of) ?? typeText(e.type)}(${a})`,
    helper: saturating,
  },
  bitcast: { text: ([a], e) => `bitcast<${typeText(e.type)}>(${a})` },
  fma: fn('fma'),
  dot: fn('dot'),
  vec: { text: (a, e) => `${typeText(e.type)}(${a.join(', ')})` },
  component: { text: ([a, b], _, of) => (of[1]!.e === 'lit' ? `${a}.${'xyzw'[of[1]!.lo]}` : `${a}[${b}]`) },
  sumsOfLanes: { text: (a) => `vec4<f32>(${a.map((v) => `(${v}.x + ${v}.y) + (${v}.z + ${v}.w)`).join(', ')})` },
  isNonFinite: { text: ([a]) => `((bitcast<u32>(${a}) & 0x7f800000u) == 0x7f800000u)` },
  packHalf2: fn('pack2x16float'),
  unpackHalf2: fn('unpack2x16float'),
  subgroupBroadcast: { text: ([a, b]) => `subgroupBroadcast(${a}, u32(${b}))` },
  subgroupAdd: fn('subgroupAdd'),
  subgroupMax: fn('subgroupMax'),
  subgroupMin: fn('subgroupMin'),
  subgroupShuffle: { text: ([a, b]) => `subgroupShuffle(${a}, u32(${b}))` },
  subgroupShuffleXor: { text: ([a, b]) => `subgroupShuffleXor(${a}, u32(${b}))` },
  roundHalf: fn('quantizeToF16'),
  roundBfloat: helped('dt_bf16'),
} satisfies Readonly<Record<Fn, Spelling>>;
