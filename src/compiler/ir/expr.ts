// Scalar and small-vector expressions of a kernel. Interned: equal expressions are one object, so sharing is identity.
import type { Binary, MapFn, Quantile, Unary } from '../../dsl/core/op.ts';
import { builtins } from './builtins.ts';

export type Scalar = 'f32' | 'f16' | 'i32' | 'u32' | 'bool';
export type Width = 1 | 2 | 4;
export interface Type {
  readonly scalar: Scalar;
  readonly width: Width;
}

/** What only kernels need, beside the opcodes of the language. */
export type KernelFn =
  | 'fma'
  | 'dot'
  | 'vec'
  | 'component'
  /** The vector of the sums of four vectors' lanes, each (x + y) + (z + w); WebAssembly alone. */
  | 'sumsOfLanes'
  | 'isNonFinite'
  | 'packHalf2'
  | 'unpackHalf2'
  | 'roundHalf'
  | 'roundBfloat'
  | 'subgroupBroadcast'
  | 'subgroupAdd'
  | 'subgroupMax'
  | 'subgroupMin'
  | 'subgroupShuffle'
  | 'subgroupShuffleXor';
export type Fn = Exclude<MapFn, Quantile> | KernelFn;

interface Base {
  /** Equal expressions have one; it depends on what was made before, so it is no order. */
  readonly id: number;
  /** Follows from the structure alone: a sum has its terms in this order. */
  readonly order: number;
  readonly type: Type;
  /** Bounds of an integer, inclusive; meaningless for floats. */
  readonly lo: number;
  readonly hi: number;
}
export type Expr = Base &
  (
    | { readonly e: 'lit'; readonly value: number }
    /** A local name: a builtin, a loop counter, a `let` (mutable: false) or a `var` (mutable: true). */
    | { readonly e: 'ref'; readonly name: string; readonly mutable: boolean }
    | { readonly e: 'call'; readonly fn: Fn; readonly args: readonly Expr[] }
    /** Element `index` of a buffer; width > 1 reads that many from `index` on. */
    | { readonly e: 'load'; readonly buffer: number; readonly index: Expr }
    /** Element of a workgroup array or of a private array. */
    | { readonly e: 'element'; readonly array: string; readonly index: Expr }
    /** A scalar bound at run time (position, step, seed). */
    | { readonly e: 'scalar'; readonly slot: string }
  );
export type ExprOf<K extends Expr['e']> = Extract<Expr, { readonly e: K }>;

export const scalarType = (scalar: Scalar, width: Width = 1): Type => types[scalar][width];
const widths = (scalar: Scalar): Readonly<Record<Width, Type>> => ({
  1: { scalar, width: 1 },
  2: { scalar, width: 2 },
  4: { scalar, width: 4 },
});
const types: Readonly<Record<Scalar, Readonly<Record<Width, Type>>>> = {
  f32: widths('f32'),
  f16: widths('f16'),
  i32: widths('i32'),
  u32: widths('u32'),
  bool: widths('bool'),
};
export const f32 = scalarType('f32');
export const i32 = scalarType('i32');
export const u32 = scalarType('u32');
export const bool = scalarType('bool');
export const f32x4 = scalarType('f32', 4);
export const i32x4 = scalarType('i32', 4);

const I32_LO = -2147483648;
const I32_HI = 2147483647;
const table = new Map<string, Expr>();
let nextId = 0;

type Body = Expr extends infer X ? (X extends Expr ? Omit<X, 'id' | 'order'> : never) : never;

const numbers = new Float64Array(1);
const bits = new Uint32Array(numbers.buffer);

const mix = (hash: number, word: number): number => {
  const h = Math.imul(hash ^ word, 0x01000193);
  return h ^ (h >>> 15);
};
const mixText = (hash: number, text: string): number => {
  let h = hash;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h;
};
const mixNumber = (hash: number, value: number): number => {
  numbers[0] = value;
  return mix(mix(hash, bits[0]!), bits[1]!);
};

/** From here on are expressions that need names of the kernel's own: what is made of builtins alone leads a sum, for no loop changes it. */
const OWN_NAMES = 2 ** 32;
const builtinNames: ReadonlySet<string> = new Set(Object.values(builtins));

const orderOf = (x: Body): number => {
  let hash = mix(mixText(mixText(0x811c9dc5, x.e), x.type.scalar), x.type.width);
  let own = false;
  const meet = (part: Expr): void => {
    hash = mix(hash, part.order | 0);
    own ||= part.order >= OWN_NAMES;
  };
  switch (x.e) {
    case 'lit':
      hash = mixNumber(hash, x.value);
      break;
    case 'ref':
      hash = mixNumber(mixNumber(mixText(hash, x.name), x.lo), x.hi);
      own = !builtinNames.has(x.name);
      break;
    case 'call':
      hash = mixText(hash, x.fn);
      for (const a of x.args) meet(a);
      break;
    case 'load':
      hash = mix(hash, x.buffer);
      meet(x.index);
      break;
    case 'element':
      hash = mixText(hash, x.array);
      meet(x.index);
      break;
    case 'scalar':
      hash = mixText(hash, x.slot);
      break;
  }
  return (hash >>> 0) + (own ? OWN_NAMES : 0);
};

/** Negative where `a` comes before `b`, 0 for equal expressions alone. */
export const compareExprs = (a: Expr, b: Expr): number => {
  if (a.order !== b.order || a === b) return a.order - b.order;
  const [s, t] = [a, b].map((x) => JSON.stringify(x, (key, value: unknown) => (key === 'id' ? undefined : value)));
  return s! < t! ? -1 : 1;
};

/** The expression of a key, which names all of it: equal keys are expressions of one kind. */
const intern = <K extends Expr['e']>(key: string, body: Body & { readonly e: K }): ExprOf<K> => {
  const found = table.get(key);
  if (found) return found as ExprOf<K>;
  // Losing sharing on overflow only makes a kernel's text longer.
  if (table.size > 400_000) table.clear();
  const made = { ...body, id: nextId++, order: orderOf(body) } as ExprOf<K>;
  table.set(key, made);
  return made;
};

/** Distinguishes -0 from 0. */
const numberKey = (v: number): string => {
  numbers[0] = v;
  return `${bits[0]}:${bits[1]}`;
};

export const lit = (value: number, scalar: Scalar = 'i32'): Expr =>
  intern(`l${scalar}${numberKey(value)}`, { e: 'lit', value, type: scalarType(scalar), lo: value, hi: value });
const ints = new Map<number, Expr>();
export const int = (value: number): Expr => {
  const known = ints.get(value);
  if (known) return known;
  const made = lit(value, 'i32');
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) ints.set(value, made);
  return made;
};

/** An immutable name with known bounds (loop counters, lane and group indices). */
export const ref = (name: string, type: Type = i32, lo = I32_LO, hi = I32_HI): ExprOf<'ref'> =>
  intern(`r${name}|${type.scalar}${type.width}|${lo}|${hi}`, { e: 'ref', name, mutable: false, type, lo, hi });
export const variable = (name: string, type: Type): Expr =>
  intern(`m${name}|${type.scalar}${type.width}`, { e: 'ref', name, mutable: true, type, lo: I32_LO, hi: I32_HI });

export const load = (buffer: number, index: Expr, type: Type): Expr =>
  intern(`b${buffer}|${index.id}|${type.scalar}${type.width}`, {
    e: 'load',
    buffer,
    index,
    type,
    lo: I32_LO,
    hi: I32_HI,
  });
export const element = (array: string, index: Expr, type: Type): Expr =>
  intern(`e${array}|${index.id}|${type.scalar}${type.width}`, {
    e: 'element',
    array,
    index,
    type,
    lo: I32_LO,
    hi: I32_HI,
  });
export const scalarInput = (slot: string, scalar: Scalar): Expr =>
  intern(`s${slot}|${scalar}`, { e: 'scalar', slot, type: scalarType(scalar), lo: I32_LO, hi: I32_HI });

// Calls are most of what is interned: up to two operands, their table is keyed by numbers.
const pairs = new Map<Type, Map<Fn, Map<number, Expr>>>();
let paired = 0;
const ID_LIMIT = 2 ** 26;
const pairTable = (fn: Fn, type: Type): Map<number, Expr> => {
  let ofType = pairs.get(type);
  if (!ofType) {
    ofType = new Map();
    pairs.set(type, ofType);
  }
  let table = ofType.get(fn);
  if (!table) {
    table = new Map();
    ofType.set(fn, table);
  }
  return table;
};

/** A call as it stands; `call` below picks the type and folds. */
export const rawCall = (fn: Fn, args: readonly Expr[], type: Type, lo = I32_LO, hi = I32_HI): Expr => {
  if (args.length <= 2 && nextId < ID_LIMIT) {
    const key = args.length === 0 ? -1 : args[0]!.id * ID_LIMIT + (args.length === 2 ? args[1]!.id : ID_LIMIT - 1);
    const known = pairTable(fn, type).get(key);
    if (known && known.lo === lo && known.hi === hi) return known;
    if (!known) {
      if (++paired > 400_000) {
        pairs.clear();
        paired = 0;
      }
      const order = orderOf({ e: 'call', fn, args, type, lo, hi });
      const made: Expr = { e: 'call', fn, args, type, lo, hi, id: nextId++, order };
      pairTable(fn, type).set(key, made);
      return made;
    }
  }
  return intern(`c${fn}|${args.map((a) => a.id).join(',')}|${type.scalar}${type.width}|${lo}|${hi}`, {
    e: 'call',
    fn,
    args,
    type,
    lo,
    hi,
  });
};

/** Forgets every expression: a compilation begins with it, so that none finds less, or more, than it would alone. */
export const forgetExprs = (): void => {
  table.clear();
  ints.clear();
  pairs.clear();
  paired = 0;
};

const booleans: ReadonlySet<Fn> = new Set<Unary | Binary>(['lt', 'le', 'eq', 'ne']);

const foldBool = (fn: Fn, args: readonly Expr[]): Expr | null => {
  const [a, b] = args;
  if (!a) return null;
  const isBool = a.type.scalar === 'bool';
  if (fn === 'and' && isBool) {
    if (a.e === 'lit') return a.value ? b! : a;
    if (b!.e === 'lit') return b!.value ? a : b!;
    if (a === b) return a;
  }
  if (fn === 'or' && isBool) {
    if (a.e === 'lit') return a.value ? a : b!;
    if (b!.e === 'lit') return b!.value ? b! : a;
    if (a === b) return a;
  }
  if (fn === 'not' && isBool && a.e === 'lit') return lit(a.value ? 0 : 1, 'bool');
  if (fn === 'where' && a.e === 'lit') return a.value ? args[1]! : args[2]!;
  if (fn === 'where' && args[1] === args[2]) return args[1]!;
  return null;
};

/** A scalar or vector operation of the language; the type follows the operands. Comparisons of bounded integers fold. */
export const call = (fn: Fn, ...args: readonly Expr[]): Expr => {
  const folded = foldBool(fn, args);
  if (folded) return folded;
  const first = args[fn === 'where' ? 1 : 0]!;
  if (booleans.has(fn)) {
    const [a, b] = args as readonly [Expr, Expr];
    if (a.type.scalar === 'i32' && a.type.width === 1) {
      if (fn === 'lt' && a.hi < b.lo) return lit(1, 'bool');
      if (fn === 'lt' && a.lo >= b.hi) return lit(0, 'bool');
      if (fn === 'le' && a.hi <= b.lo) return lit(1, 'bool');
      if (fn === 'le' && a.lo > b.hi) return lit(0, 'bool');
      if (fn === 'eq' && a === b) return lit(1, 'bool');
      if (fn === 'eq' && a.lo === a.hi && a.lo === b.lo && b.lo === b.hi) return lit(1, 'bool');
    }
    return rawCall(fn, args, scalarType('bool', a.type.width));
  }
  if (fn === 'isNonFinite') return rawCall(fn, args, bool);
  return rawCall(fn, args, first.type);
};

/** Bounds of `x` as an integer: a float's are known of a literal alone, and what the integer does not hold has none. */
const castBounds = (x: Expr, to: Scalar): readonly [number, number] => {
  const isFloat = x.type.scalar === 'f32' || x.type.scalar === 'f16';
  const [lo, hi] = !isFloat ? [x.lo, x.hi] : x.e === 'lit' ? [Math.trunc(x.lo), Math.trunc(x.hi)] : [I32_LO, I32_HI];
  return lo >= (to === 'u32' ? 0 : I32_LO) && hi <= I32_HI ? [lo, hi] : [I32_LO, I32_HI];
};

export const castTo = (x: Expr, scalar: Scalar): Expr => {
  if (x.type.scalar === scalar) return x;
  if (x.e === 'lit' && scalar === 'f32') return lit(Math.fround(x.value), 'f32');
  return rawCall('cast', [x], scalarType(scalar, x.type.width), ...castBounds(x, scalar));
};
export const bitcastTo = (x: Expr, scalar: Scalar): Expr =>
  x.type.scalar === scalar ? x : rawCall('bitcast', [x], scalarType(scalar, x.type.width));
export const where = (c: Expr, a: Expr, b: Expr): Expr => call('where', c, a, b);
export const and = (a: Expr, b: Expr): Expr => call('and', a, b);

/** Four scalars as a vec4. */
export const vec4 = (xs: readonly Expr[]): Expr => rawCall('vec', xs, scalarType(xs[0]!.type.scalar, 4));
export const splat4 = (x: Expr): Expr => rawCall('vec', [x], scalarType(x.type.scalar, 4));
export const zero4 = splat4(lit(0, 'f32'));
export const component = (v: Expr, i: number): Expr => rawCall('component', [v, int(i)], scalarType(v.type.scalar));
export const fma = (a: Expr, b: Expr, c: Expr): Expr => rawCall('fma', [a, b, c], c.type);
export const dot = (a: Expr, b: Expr): Expr => rawCall('dot', [a, b], scalarType(a.type.scalar));
