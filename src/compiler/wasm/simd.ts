// How functions of SIMD values are spelled: operations on lanes, polynomials, and functions of steps that each name a value.

/** A local by its name ('$x'), the text of an expression, or a number that every lane holds. */
export type Operand = string | number;
type Shape = 'f32x4' | 'i32x4' | 'f64x2' | 'i64x2';

const LANES: Readonly<Record<Shape, number>> = { f32x4: 4, i32x4: 4, f64x2: 2, i64x2: 2 };
const numeral = (x: number): string =>
  Math.abs(x) === Number.POSITIVE_INFINITY ? `${x < 0 ? '-' : ''}inf` : Object.is(x, -0) ? '-0' : `${x}`;
const operand = (x: Operand, shape: Shape): string => {
  if (typeof x === 'number') return `(v128.const ${shape} ${Array(LANES[shape]).fill(numeral(x)).join(' ')})`;
  return x.startsWith('$') ? `(local.get ${x})` : x;
};

type Operation = (...args: readonly Operand[]) => string;
/** `of` is the shape whose constants the operation takes. */
const operation =
  (name: string, of: Shape): Operation =>
  (...args) =>
    `(${name} ${args.map((a) => operand(a, of)).join(' ')})`;
const shift =
  (name: string, of: Shape) =>
  (x: Operand, count: number): string =>
    `(${name} ${operand(x, of)} (i32.const ${count}))`;

const floats = (of: 'f32x4' | 'f64x2') => ({
  add: operation(`${of}.add`, of),
  sub: operation(`${of}.sub`, of),
  mul: operation(`${of}.mul`, of),
  div: operation(`${of}.div`, of),
  /** The lesser; the first where an operand is NaN. One instruction where `min` is several. */
  pmin: operation(`${of}.pmin`, of),
  pmax: operation(`${of}.pmax`, of),
});
export const f32 = {
  ...floats('f32x4'),
  abs: operation('f32x4.abs', 'f32x4'),
  floor: operation('f32x4.floor', 'f32x4'),
  eq: operation('f32x4.eq', 'f32x4'),
  ne: operation('f32x4.ne', 'f32x4'),
  lt: operation('f32x4.lt', 'f32x4'),
  gt: operation('f32x4.gt', 'f32x4'),
  ge: operation('f32x4.ge', 'f32x4'),
  select: operation('v128.bitselect', 'f32x4'),
  fromI32: operation('f32x4.convert_i32x4_s', 'i32x4'),
};
export const f64 = {
  ...floats('f64x2'),
  fromLowF32: operation('f64x2.promote_low_f32x4', 'f32x4'),
  toF32: operation('f32x4.demote_f64x2_zero', 'f64x2'),
};
export const i32 = {
  add: operation('i32x4.add', 'i32x4'),
  sub: operation('i32x4.sub', 'i32x4'),
  min: operation('i32x4.min_s', 'i32x4'),
  eq: operation('i32x4.eq', 'i32x4'),
  lt: operation('i32x4.lt_s', 'i32x4'),
  gt: operation('i32x4.gt_s', 'i32x4'),
  and: operation('v128.and', 'i32x4'),
  or: operation('v128.or', 'i32x4'),
  xor: operation('v128.xor', 'i32x4'),
  not: operation('v128.not', 'i32x4'),
  select: operation('v128.bitselect', 'i32x4'),
  shl: shift('i32x4.shl', 'i32x4'),
  shr: shift('i32x4.shr_s', 'i32x4'),
  shrU: shift('i32x4.shr_u', 'i32x4'),
};
export const i64 = { add: operation('i64x2.add', 'i64x2'), shl: shift('i64x2.shl', 'i64x2') };

const shuffle =
  (bytes: readonly number[]) =>
  (a: Operand, b: Operand): string =>
    `(i8x16.shuffle ${bytes.join(' ')} ${operand(a, 'i32x4')} ${operand(b, 'i32x4')})`;
const words = (...at: readonly number[]) => shuffle(at.flatMap((w) => [0, 1, 2, 3].map((b) => w * 4 + b)));
/** The last two words of `x` twice. */
export const high = (x: Operand): string => words(2, 3, 2, 3)(x, x);
/** The first two words of `a`, then those of `b`. */
export const joinLow = words(0, 1, 4, 5);
/** The low word of each of four 64-bit lanes. */
export const lowWords = words(0, 2, 4, 6);

export const SIGN = 0x80000000;
export const withSign = (magnitude: string, of: Operand): string => i32.or(magnitude, i32.and(of, SIGN));
/** Added to a float below 2^22 in magnitude (2^51 for doubles), it leaves the nearest integer in the low bits. */
export const MAGIC = 1.5 * 2 ** 23;
export const MAGIC_F64 = 1.5 * 2 ** 52;

/** Horner's rule; coefficients from the constant one on, at least two. */
export const polynomial = (of: typeof f32 | typeof f64, x: Operand, coefficients: readonly number[]): string =>
  coefficients
    .slice(0, -2)
    .reduceRight((p, c) => of.add(of.mul(p, x), c), of.add(of.mul(coefficients.at(-1)!, x), coefficients.at(-2)!));

/** The text of a function that calls no other. */
export interface Leaf {
  readonly text: string;
  readonly needs: readonly never[];
}

/** A function of vectors: each step names a value, later ones and the result read it. */
export const vectorFunction = (
  name: string,
  params: readonly string[],
  steps: Readonly<Record<string, string>>,
  result: string,
): Leaf => ({
  text: [
    `(func $${name} ${params.map((p) => `(param ${p} v128)`).join(' ')} (result v128)`,
    ...Object.keys(steps).map((s) => `  (local ${s} v128)`),
    ...Object.entries(steps).map(([s, value]) => `  (local.set ${s} ${value})`),
    `  ${result})`,
  ].join('\n'),
  needs: [],
});
