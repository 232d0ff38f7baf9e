// Functions that kernels call, as WebAssembly text: of four lanes, of single values (the same bits), and integer arithmetic without traps.
import { narrow } from './narrow.ts';
import { powers } from './powers.ts';
import { scalar } from './scalar.ts';
import type { Leaf } from './simd.ts';
import { transcendental } from './transcendental.ts';
import { trigonometry } from './trigonometry.ts';

const vectors = { ...transcendental, ...powers, ...trigonometry, ...narrow };

/** $b where dividing by it is defined, 1 elsewhere: x / 0 is x, x % 0 is 0, and the least integer by -1 stays itself. */
const divisor = (undefined_: string): string => `(select (i32.const 1) (local.get $b) ${undefined_})`;
const zero = '(i32.eqz (local.get $b))';
const overflow = '(i32.and (i32.eq (local.get $a) (i32.const 0x80000000)) (i32.eq (local.get $b) (i32.const -1)))';
const divide = (name: string, instruction: string, undefined_: string): Leaf => ({
  text: `(func $${name} (param $a i32) (param $b i32) (result i32)
  (${instruction} (local.get $a) ${divisor(undefined_)}))`,
  needs: [],
});
/** Towards 0, saturating; NaN is 0. */
const truncate = (name: string, instruction: string): Leaf => ({
  text: `(func $${name} (param $x f32) (result i32) (${instruction} (local.get $x)))`,
  needs: [],
});

const integers = {
  divS: divide('divS', 'i32.div_s', `(i32.or ${zero} ${overflow})`),
  divU: divide('divU', 'i32.div_u', zero),
  remS: divide('remS', 'i32.rem_s', zero),
  remU: divide('remU', 'i32.rem_u', zero),
  truncS: truncate('truncS', 'i32.trunc_sat_f32_s'),
  truncU: truncate('truncU', 'i32.trunc_sat_f32_u'),
};

type VectorName = keyof typeof vectors;
export type MathName = VectorName | keyof typeof integers | keyof typeof scalar | keyof typeof singles;

export interface WatFunction {
  readonly text: string;
  /** Other functions of the table that the text calls. */
  readonly needs: readonly MathName[];
}

/** The function of one value: that of four, all of them the same. */
const single = (
  name: string,
  of: VectorName,
  from: 'f32' | 'i32',
  to: 'f32' | 'i32',
  params = ['$x'],
): WatFunction => ({
  text: `(func $${name} ${params.map((p) => `(param ${p} ${from})`).join(' ')} (result ${to})
  (${to}x4.extract_lane 0 (call $${of} ${params.map((p) => `(${from}x4.splat (local.get ${p}))`).join(' ')})))`,
  needs: [of],
});

const singles = {
  exp1: single('exp1', 'exp4', 'f32', 'f32'),
  log1: single('log1', 'log4', 'f32', 'f32'),
  tanh1: single('tanh1', 'tanh4', 'f32', 'f32'),
  erf1: single('erf1', 'erf4', 'f32', 'f32'),
  sin1: single('sin1', 'sin4', 'f32', 'f32'),
  cos1: single('cos1', 'cos4', 'f32', 'f32'),
  pow1: single('pow1', 'pow4', 'f32', 'f32', ['$x', '$y']),
  fromHalf1: single('fromHalf1', 'fromHalf4', 'i32', 'f32'),
  toHalf1: single('toHalf1', 'toHalf4', 'f32', 'i32'),
  roundHalf1: single('roundHalf1', 'roundHalf4', 'f32', 'f32'),
  fromBfloat1: single('fromBfloat1', 'fromBfloat4', 'i32', 'f32'),
  toBfloat1: single('toBfloat1', 'toBfloat4', 'f32', 'i32'),
  roundBfloat1: single('roundBfloat1', 'roundBfloat4', 'f32', 'f32'),
};

/** Every function, by the name that it is called by: `(call $exp4 ...)`. */
export const mathFunctions: Readonly<Record<MathName, WatFunction>> = {
  ...vectors,
  ...singles,
  ...integers,
  ...scalar,
};

/** The texts of the functions in `used` and of all that they call, each once, in the table's order. */
export const withNeeds = (used: Iterable<MathName>): readonly string[] => {
  const wanted = new Set<string>();
  const want = (name: MathName): void => {
    if (wanted.has(name)) return;
    wanted.add(name);
    mathFunctions[name].needs.forEach(want);
  };
  for (const name of used) want(name);
  return Object.entries(mathFunctions).flatMap(([name, f]) => (wanted.has(name) ? [f.text] : []));
};
