// How a JavaScript kernel spells each opcode: doubles for floats, exact wrapping 32-bit integers, booleans.
import type { Expr, Fn, Scalar } from '../ir/expr.ts';

export type Spelling = (args: readonly string[], e: Expr, of: readonly Expr[]) => string;

const scalarOf = (e: Expr): Scalar => e.type.scalar;
/** Brings the result of integer arithmetic back to 32 bits. */
const fit = (text: string, e: Expr): string =>
  scalarOf(e) === 'i32' ? `(${text} | 0)` : scalarOf(e) === 'u32' ? `(${text} >>> 0)` : text;
const isBool = (of: readonly Expr[]): boolean => scalarOf(of[0]!) === 'bool';
const isInteger = (e: Expr): boolean => scalarOf(e) === 'i32' || scalarOf(e) === 'u32';

const fn =
  (name: string): Spelling =>
  (a) =>
    `${name}(${a.join(', ')})`;
const infix =
  (op: string): Spelling =>
  ([a, b], e) =>
    fit(`(${a} ${op} ${b})`, e);
const compare =
  (op: string): Spelling =>
  ([a, b]) =>
    `(${a} ${op} ${b})`;
const logic =
  (bits: string, bool: string): Spelling =>
  ([a, b], e, of) =>
    isBool(of) ? `(${a} ${bool} ${b})` : fit(`(${a} ${bits} ${b})`, e);
const none =
  (what: Fn): Spelling =>
  () => {
    throw new Error(`a JavaScript kernel has no '${what}': only generic kernels run without a GPU`);
  };

const cast: Spelling = ([a], e, [x]) => {
  const [from, to] = [scalarOf(x!), scalarOf(e)];
  if (from === to) return a!;
  if (to === 'bool') return `(${a} !== 0)`;
  if (from === 'bool') return `(${a} ? 1 : 0)`;
  if (to === 'f32' || to === 'f16') return a!;
  if (from === 'i32' || from === 'u32') return fit(a!, e);
  return `${to === 'i32' ? 'dt_toI32' : 'dt_toU32'}(${a})`;
};

const bitcast: Spelling = ([a], e, [x]) => {
  const [from, to] = [scalarOf(x!), scalarOf(e)];
  if (from === 'f32') return to === 'f32' ? a! : fit(`dt_bitsOf(${a})`, e);
  return to === 'f32' ? `dt_floatOf(${a})` : fit(a!, e);
};

const div: Spelling = ([a, b], e, of) => {
  if (!isInteger(e)) return `(${a} / ${b})`;
  const divisor = of[1]!;
  if (divisor.e === 'lit' && divisor.value !== 0) return fit(`(${a} / ${b})`, e);
  return `${scalarOf(e) === 'i32' ? 'dt_divI32' : 'dt_divU32'}(${a}, ${b})`;
};

export const spellings = {
  neg: ([a], e) => fit(`(-${a})`, e),
  abs: ([a], e) => fit(`Math.abs(${a})`, e),
  sign: fn('Math.sign'),
  exp: fn('Math.exp'),
  log: fn('Math.log'),
  sqrt: fn('Math.sqrt'),
  rsqrt: ([a]) => `(1 / Math.sqrt(${a}))`,
  recip: ([a]) => `(1 / ${a})`,
  tanh: fn('Math.tanh'),
  erf: fn('dt_erf'),
  sin: fn('Math.sin'),
  cos: fn('Math.cos'),
  floor: fn('Math.floor'),
  ceil: fn('Math.ceil'),
  round: fn('dt_round'),
  not: ([a], e, of) => (isBool(of) ? `(!${a})` : fit(`(~${a})`, e)),
  add: infix('+'),
  sub: infix('-'),
  mul: ([a, b], e) => (isInteger(e) ? fit(`Math.imul(${a}, ${b})`, e) : `(${a} * ${b})`),
  div,
  max: fn('Math.max'),
  min: fn('Math.min'),
  pow: fn('dt_pow'),
  // The sign of the dividend; a remainder by the integer 0 is 0, because NaN fits to it.
  mod: infix('%'),
  lt: compare('<'),
  le: compare('<='),
  eq: compare('==='),
  ne: compare('!=='),
  and: logic('&', '&&'),
  or: logic('|', '||'),
  xor: logic('^', '!=='),
  shl: infix('<<'),
  shr: ([a, b], e) => (scalarOf(e) === 'u32' ? `(${a} >>> ${b})` : `(${a} >> ${b})`),
  where: ([c, a, b]) => `(${c} ? ${a} : ${b})`,
  cast,
  bitcast,
  fma: ([a, b, c]) => `(${a} * ${b} + ${c})`,
  isNonFinite: ([a]) => `(!dt_finite(${a}))`,
  roundHalf: ([a]) => `this.constants.half[dt_toHalf(${a})]`,
  roundBfloat: ([a]) => `dt_floatOf(dt_toBfloat(${a}) << 16)`,
  dot: none('dot'),
  vec: none('vec'),
  component: none('component'),
  sumsOfLanes: none('sumsOfLanes'),
  packHalf2: none('packHalf2'),
  unpackHalf2: none('unpackHalf2'),
  subgroupBroadcast: none('subgroupBroadcast'),
  subgroupAdd: none('subgroupAdd'),
  subgroupMax: none('subgroupMax'),
  subgroupMin: none('subgroupMin'),
  subgroupShuffle: none('subgroupShuffle'),
  subgroupShuffleXor: none('subgroupShuffleXor'),
} satisfies Readonly<Record<Fn, Spelling>>;
