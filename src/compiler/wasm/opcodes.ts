// How WebAssembly spells each opcode, by the type that it works on. Booleans are 0 and 1; four of them are a mask of all ones or zeros.
import type { Expr, Fn, Scalar, Type } from '../ir/expr.ts';
import type { MathName } from './math.ts';

/** What a value is in a local. */
export type Register = 'f32' | 'i32' | 'i64' | 'v128';
export const registerOf = (t: Type): Register =>
  t.width > 1 ? 'v128' : t.scalar === 'f32' || t.scalar === 'f16' ? 'f32' : 'i32';

const isFloat = (s: Scalar): boolean => s === 'f32' || s === 'f16';
/** The prefix of instructions on values of a type. */
const shape = (t: Type): string =>
  t.width > 1 ? (isFloat(t.scalar) ? 'f32x4' : 'i32x4') : isFloat(t.scalar) ? 'f32' : 'i32';

/** What the printer keeps while it prints a kernel. */
export interface Context {
  /** A local of its own, to name a value that an instruction takes twice. */
  readonly temp: (of: Register) => string;
  /** Notes that a function of math.ts is called. */
  readonly uses: (name: MathName) => void;
}
export type Spelling = (args: readonly string[], e: Expr, of: readonly Expr[], c: Context) => string;

const op = (name: string, args: readonly string[]): string => `(${name} ${args.join(' ')})`;
export const callMath = (name: MathName, args: readonly string[], c: Context): string => {
  c.uses(name);
  return op(`call $${name}`, args);
};
/** A function that is there for a single value and for four. */
const eitherWay = (name: EitherWay, args: readonly string[], e: Expr, c: Context): string =>
  callMath(e.type.width > 1 ? `${name}4` : `${name}1`, args, c);

const refuse = (what: string): never => {
  throw new Error(`a WebAssembly kernel has no ${what}`);
};

const plain =
  (name: string): Spelling =>
  (args, e) =>
    op(`${shape(e.type)}.${name}`, args);
type EitherWay = 'exp' | 'log' | 'tanh' | 'erf' | 'sin' | 'cos' | 'pow' | 'roundHalf' | 'roundBfloat';
const function_ =
  (name: EitherWay): Spelling =>
  (args, e, _, c) =>
    eitherWay(name, args, e, c);

const splat = (t: Type, text: string): string => `(${isFloat(t.scalar) ? 'f32x4' : 'i32x4'}.splat ${text})`;
export const splatOf = (t: Type, text: string): string =>
  t.scalar === 'bool' ? `(i32x4.splat (i32.sub (i32.const 0) ${text}))` : splat(t, text);

/** The larger or smaller of two; scalar integers have no instruction of their own. */
const extreme =
  (which: 'max' | 'min'): Spelling =>
  ([a, b], e, _, c) => {
    const { scalar, width } = e.type;
    if (isFloat(scalar)) return op(`${shape(e.type)}.${which}`, [a!, b!]);
    if (width > 1) return op(`i32x4.${which}_${scalar === 'u32' ? 'u' : 's'}`, [a!, b!]);
    const compare = `i32.${which === 'max' ? 'gt' : 'lt'}_${scalar === 'u32' ? 'u' : 's'}`;
    const [x, y] = [c.temp('i32'), c.temp('i32')];
    return `(select (local.tee ${x} ${a}) (local.tee ${y} ${b}) (${compare} (local.get ${x}) (local.get ${y})))`;
  };

const compare =
  (name: 'lt' | 'le' | 'eq' | 'ne'): Spelling =>
  (args, _, of) => {
    const t = of[0]!.type;
    const ordered = name === 'lt' || name === 'le';
    const sign = ordered && !isFloat(t.scalar) ? (t.scalar === 'u32' ? '_u' : '_s') : '';
    return op(`${shape(t)}.${name}${sign}`, args);
  };

const logic =
  (name: 'and' | 'or' | 'xor'): Spelling =>
  (args, e) =>
    op(`${e.type.width > 1 ? 'v128' : 'i32'}.${name}`, args);

const shift =
  (left: boolean): Spelling =>
  (args, e, of) =>
    op(`${shape(e.type)}.${left ? 'shl' : of[0]!.type.scalar === 'u32' ? 'shr_u' : 'shr_s'}`, args);

const ONE: Readonly<Record<'f32' | 'i32', string>> = { f32: 'f32x4 1 1 1 1', i32: 'i32x4 1 1 1 1' };

const cast: Spelling = ([a], e, [x]) => {
  const [from, to] = [x!.type.scalar, e.type.scalar];
  const wide = e.type.width > 1;
  if (from === to || (isFloat(from) && isFloat(to))) return a!;
  if (to === 'bool') {
    const zero = wide ? '(v128.const i32x4 0 0 0 0)' : isFloat(from) ? '(f32.const 0)' : '(i32.const 0)';
    return op(`${shape(x!.type)}.ne`, [a!, zero]);
  }
  if (from === 'bool') {
    if (wide) return op('v128.and', [a!, `(v128.const ${ONE[isFloat(to) ? 'f32' : 'i32']})`]);
    return isFloat(to) ? op('f32.convert_i32_s', [a!]) : a!;
  }
  if (isFloat(to)) return op(`${shape(e.type)}.convert_${wide ? 'i32x4' : 'i32'}_${from === 'u32' ? 'u' : 's'}`, [a!]);
  if (isFloat(from))
    return op(`${shape(e.type)}.trunc_sat_${wide ? 'f32x4' : 'f32'}_${to === 'u32' ? 'u' : 's'}`, [a!]);
  return a!;
};

const bitcast: Spelling = ([a], e, [x]) => {
  const [from, to] = [isFloat(x!.type.scalar), isFloat(e.type.scalar)];
  if (e.type.width > 1 || from === to) return a!;
  return to ? op('f32.reinterpret_i32', [a!]) : op('i32.reinterpret_f32', [a!]);
};

/** Of integers: by the instruction where the divisor is a known number, else by a function that does not trap. */
const divide =
  (instruction: 'div' | 'rem', function_: 'div' | 'rem'): Spelling =>
  (args, e, of, c) => {
    const { scalar } = e.type;
    const unsigned = scalar === 'u32' || (of[0]!.lo >= 0 && of[1]!.lo >= 0);
    if (of[1]!.e === 'lit' && of[1]!.value > 0) return op(`i32.${instruction}_${unsigned ? 'u' : 's'}`, args);
    return callMath(`${function_}${scalar === 'u32' ? 'U' : 'S'}`, args, c);
  };

/** Four of the eight words of two vectors, as the bytes that a shuffle takes. */
const words = (...which: readonly number[]): string =>
  which.flatMap((w) => [0, 1, 2, 3].map((k) => 4 * w + k)).join(' ');

export const spellings = {
  neg: ([a], e) =>
    isFloat(e.type.scalar) || e.type.width > 1
      ? op(`${shape(e.type)}.neg`, [a!])
      : op('i32.sub', ['(i32.const 0)', a!]),
  abs: ([a], e, _, c) => {
    if (e.type.scalar === 'u32') return a!;
    if (isFloat(e.type.scalar) || e.type.width > 1) return op(`${shape(e.type)}.abs`, [a!]);
    const x = c.temp('i32');
    const negative = `(i32.sub (i32.const 0) (local.get ${x}))`;
    return `(select (local.tee ${x} ${a}) ${negative} (i32.ge_s (local.get ${x}) (i32.const 0)))`;
  },
  sign: ([a], e, _, c) => {
    const x = c.temp(registerOf(e.type));
    const own = `(local.get ${x})`;
    if (e.type.width > 1) {
      const ones = `(v128.const ${ONE[isFloat(e.type.scalar) ? 'f32' : 'i32']})`;
      const zero = '(v128.const i32x4 0 0 0 0)';
      if (e.type.scalar === 'u32') return `(i32x4.min_u ${a} ${ones})`;
      if (!isFloat(e.type.scalar)) return `(i32x4.max_s (i32x4.min_s ${a} ${ones}) (v128.const i32x4 -1 -1 -1 -1))`;
      const negative = '(v128.const i32x4 0x80000000 0x80000000 0x80000000 0x80000000)';
      const signed = `(v128.or (v128.and (local.tee ${x} ${a}) ${negative}) ${ones})`;
      return `(v128.bitselect ${signed} ${own} (f32x4.gt (f32x4.abs ${own}) ${zero}))`;
    }
    if (isFloat(e.type.scalar)) {
      // Zero and what is no number are their own sign.
      const signed = `(f32.copysign (f32.const 1) (local.tee ${x} ${a}))`;
      return `(select ${signed} ${own} (f32.gt (f32.abs ${own}) (f32.const 0)))`;
    }
    if (e.type.scalar === 'u32') return `(i32.ne ${a} (i32.const 0))`;
    return `(i32.sub (i32.gt_s (local.tee ${x} ${a}) (i32.const 0)) (i32.lt_s ${own} (i32.const 0)))`;
  },
  exp: function_('exp'),
  log: function_('log'),
  sqrt: plain('sqrt'),
  rsqrt: ([a], e) =>
    op(`${shape(e.type)}.div`, [
      e.type.width > 1 ? `(v128.const ${ONE.f32})` : '(f32.const 1)',
      `(${shape(e.type)}.sqrt ${a})`,
    ]),
  recip: ([a], e) => op(`${shape(e.type)}.div`, [e.type.width > 1 ? `(v128.const ${ONE.f32})` : '(f32.const 1)', a!]),
  tanh: function_('tanh'),
  erf: function_('erf'),
  sin: function_('sin'),
  cos: function_('cos'),
  floor: plain('floor'),
  ceil: plain('ceil'),
  round: plain('nearest'),
  not: ([a], e, of) =>
    of[0]!.type.scalar === 'bool' && e.type.width === 1
      ? op('i32.eqz', [a!])
      : e.type.width > 1
        ? op('v128.not', [a!])
        : op('i32.xor', [a!, '(i32.const -1)']),
  add: plain('add'),
  sub: plain('sub'),
  mul: plain('mul'),
  div: (args, e, of, c) =>
    isFloat(e.type.scalar)
      ? op(`${shape(e.type)}.div`, args)
      : e.type.width > 1
        ? refuse('division of vectors of integers')
        : divide('div', 'div')(args, e, of, c),
  max: extreme('max'),
  min: extreme('min'),
  pow: function_('pow'),
  mod: (args, e, of, c) =>
    e.type.width > 1
      ? refuse('remainder of vectors')
      : isFloat(e.type.scalar)
        ? callMath('rem1', args, c)
        : divide('rem', 'rem')(args, e, of, c),
  lt: compare('lt'),
  le: compare('le'),
  eq: compare('eq'),
  ne: compare('ne'),
  and: logic('and'),
  or: logic('or'),
  xor: logic('xor'),
  shl: shift(true),
  shr: shift(false),
  where: ([c, a, b], _, of) =>
    of[0]!.type.width > 1 ? op('v128.bitselect', [a!, b!, c!]) : op('select', [a!, b!, c!]),
  cast,
  bitcast,
  fma: ([a, b, c], e) => op(`${shape(e.type)}.add`, [c!, `(${shape(e.type)}.mul ${a} ${b})`]),
  dot: ([a, b], _, __, c) => callMath('sum4', [`(f32x4.mul ${a} ${b})`], c),
  vec: (args, e) => {
    if (args.length === 1) return splatOf(e.type, args[0]!);
    const lanes = isFloat(e.type.scalar) ? 'f32x4' : 'i32x4';
    const each = e.type.scalar === 'bool' ? args.map((a) => `(i32.sub (i32.const 0) ${a})`) : args;
    return each
      .slice(1)
      .reduce((v, a, k) => `(${lanes}.replace_lane ${k + 1} ${v} ${a})`, `(${lanes}.splat ${each[0]})`);
  },
  component: ([v], e, of) => {
    const at = of[1]!;
    if (at.e !== 'lit') return refuse('component that is not known beforehand');
    const lane = `(${isFloat(e.type.scalar) ? 'f32x4' : 'i32x4'}.extract_lane ${at.value} ${v})`;
    return e.type.scalar === 'bool' ? `(i32.sub (i32.const 0) ${lane})` : lane;
  },
  sumsOfLanes: ([a, b, c, d], _, __, context) => {
    const pairs = (x: string, y: string): string => {
      const [p, q] = [context.temp('v128'), context.temp('v128')];
      const even = `(i8x16.shuffle ${words(0, 2, 4, 6)} (local.tee ${p} ${x}) (local.tee ${q} ${y}))`;
      return `(f32x4.add ${even} (i8x16.shuffle ${words(1, 3, 5, 7)} (local.get ${p}) (local.get ${q})))`;
    };
    return pairs(pairs(a!, b!), pairs(c!, d!));
  },
  isNonFinite: ([a], e) => {
    const bits = '0x7f800000';
    if (e.type.width === 1)
      return `(i32.eq (i32.and (i32.reinterpret_f32 ${a}) (i32.const ${bits})) (i32.const ${bits}))`;
    const all = `(v128.const i32x4 ${bits} ${bits} ${bits} ${bits})`;
    return `(i32x4.eq (v128.and ${a} ${all}) ${all})`;
  },
  packHalf2: () => refuse('pairs of halves'),
  unpackHalf2: () => refuse('pairs of halves'),
  subgroupBroadcast: () => refuse('subgroups'),
  subgroupAdd: () => refuse('subgroups'),
  subgroupMax: () => refuse('subgroups'),
  subgroupMin: () => refuse('subgroups'),
  subgroupShuffle: () => refuse('subgroups'),
  subgroupShuffleXor: () => refuse('subgroups'),
  roundHalf: function_('roundHalf'),
  roundBfloat: function_('roundBfloat'),
} satisfies Readonly<Record<Fn, Spelling>>;
