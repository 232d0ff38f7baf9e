// Four neighbouring values as one vector: where a vector is made of four scalars that are computed alike, it is computed by vector
// operations instead.
import { component, type Expr, type Fn, f32x4, load, rawCall, ref, scalarType, splat4, vec4 } from '../ir/expr.ts';
import { difference } from '../ir/index-math.ts';
import type { Stmt } from '../ir/stmt.ts';
import { childrenOf, mapStmt, replaceIn, withChildren } from '../ir/walk.ts';

/** Operations on vectors that WebAssembly has, for all of their types. */
const wide: ReadonlySet<Fn> = new Set<Fn>([
  'neg',
  'abs',
  'sign',
  'exp',
  'log',
  'sqrt',
  'rsqrt',
  'recip',
  'tanh',
  'erf',
  'sin',
  'cos',
  'floor',
  'ceil',
  'round',
  'not',
  'add',
  'sub',
  'mul',
  'max',
  'min',
  'pow',
  'lt',
  'le',
  'eq',
  'ne',
  'and',
  'or',
  'xor',
  'where',
  'fma',
  'isNonFinite',
  'roundHalf',
  'roundBfloat',
  'cast',
  'bitcast',
]);
const shifts: ReadonlySet<Fn> = new Set<Fn>(['shl', 'shr']);
const floatsOnly: ReadonlySet<Fn> = new Set<Fn>(['div']);

type Four = readonly [Expr, Expr, Expr, Expr];
const fourOf = (f: (k: number) => Expr): Four => [f(0), f(1), f(2), f(3)];

/** Loads of four neighbours, whatever their alignment. */
const neighbours = ([first, ...rest]: Four, stored: ReadonlySet<number>): Expr | null => {
  if (first.e !== 'load' || stored.has(first.buffer)) return null;
  const near = rest.every(
    (x, k) => x.e === 'load' && x.buffer === first.buffer && difference(first.index, x.index) === k + 1,
  );
  return near ? load(first.buffer, first.index, scalarType(first.type.scalar, 4)) : null;
};

/** The vector whose lanes a value sums up, as (x + y) + (z + w). */
const laneSum = (e: Expr): Expr | null => {
  const sum = (x: Expr): readonly Expr[] => (x.e === 'call' && x.fn === 'add' ? x.args : []);
  const lanes = sum(e).flatMap(sum);
  const first = lanes[0];
  const v = first?.e === 'call' && first.fn === 'component' ? first.args[0]! : null;
  return lanes.length === 4 && v?.type === f32x4 && lanes.every((x, k) => x === component(v, k)) ? v : null;
};

export class Lanes {
  readonly #memo = new Map<string, Expr | null>();
  readonly #rebuilt = new Map<Expr, Expr>();
  readonly #stored: ReadonlySet<number>;
  /** `stored`: buffers whose loads keep their place. */
  constructor(stored: ReadonlySet<number>) {
    this.#stored = stored;
  }

  /** The vector of four values, where most of its work is done by vectors; null where it would only be put together. */
  pack(xs: Four): Expr | null {
    const key = xs.map((x) => x.id).join(',');
    const known = this.#memo.get(key);
    if (known !== undefined) return known;
    const made = this.#pack(xs);
    this.#memo.set(key, made);
    return made;
  }

  #pack(xs: Four): Expr | null {
    const [first] = xs;
    if (xs.some((x) => x.type !== first.type) || first.type.width !== 1) return null;
    if (xs.every((x) => x === first)) return splat4(this.rebuild(first));
    const together = neighbours(xs, this.#stored);
    if (together) return this.rebuild(together);
    if (xs.every((x) => x.e === 'lit')) return vec4(xs);
    const v = first.e === 'call' && first.fn === 'component' ? first.args[0]! : null;
    if (v?.type.width === 4 && xs.every((x, k) => x === component(v, k))) return this.rebuild(v);
    const summed = xs.map(laneSum);
    if (summed.every((s) => s !== null))
      return rawCall(
        'sumsOfLanes',
        summed.map((s) => this.rebuild(s!)),
        f32x4,
      );
    if (first.e !== 'call' || xs.some((x) => x.e !== 'call' || x.fn !== first.fn)) return null;
    const args = first.args.map((_, i) => fourOf((k) => (xs[k] as Expr & { readonly e: 'call' }).args[i]!));
    if (args.some((a) => a.some((x) => x.type !== a[0].type))) return null;
    const { fn } = first;
    const [condition] = args;
    if (fn === 'where' && condition!.every((x) => x === condition![0]))
      return rawCall(
        fn,
        [this.rebuild(condition![0]), ...args.slice(1).map((a) => this.put(a))],
        scalarType(first.type.scalar, 4),
      );
    const isFloat = args.at(-1)![0].type.scalar === 'f32';
    if (shifts.has(fn)) {
      const amount = args[1]!;
      const by = amount[0];
      return amount.every((x) => x === by)
        ? rawCall(fn, [this.put(args[0]!), this.rebuild(by)], scalarType(first.type.scalar, 4))
        : null;
    }
    if (!wide.has(fn) && !(floatsOnly.has(fn) && isFloat)) return null;
    return rawCall(
      fn,
      args.map((a) => this.put(a)),
      scalarType(first.type.scalar, 4),
    );
  }

  /** The vector, by vector operations or put together. */
  put(xs: Four): Expr {
    return this.pack(xs) ?? vec4(xs.map(this.rebuild));
  }

  /** An expression with the vectors in it computed by vector operations. */
  rebuild = (e: Expr): Expr => {
    const known = this.#rebuilt.get(e);
    if (known) return known;
    const four = e.e === 'call' && e.fn === 'vec' && e.args.length === 4 ? (e.args as Four) : null;
    const made = four ? this.put(four) : withChildren(e, childrenOf(e).map(this.rebuild));
    this.#rebuilt.set(e, made);
    return made;
  };
}

/** Lets with a value that may be computed where it is used, and the stores that follow them, as a list with vector stores. */
const vectorStores = (run: readonly Stmt[], lanes: Lanes): readonly Stmt[] => {
  const values = new Map<Expr, Expr>();
  const memo = new Map<Expr, Expr>();
  const lets: Stmt[] = [];
  const wideLets: Stmt[] = [];
  let stores = 0;
  const out = run.map((s): Stmt => {
    if (s.s === 'let') {
      const value = replaceIn(s.value, values, memo);
      values.set(ref(s.name, s.value.type, s.value.lo, s.value.hi), value);
      memo.clear();
      lets.push({ ...s, value: lanes.rebuild(s.value) });
      return s;
    }
    if (s.s !== 'store' || s.value.type.width !== 4) return s;
    const value = lanes.rebuild(replaceIn(s.value, values, memo));
    const name = `wide${stores++}`;
    wideLets.push({ s: 'let', name, value });
    return { ...s, value: ref(name, value.type) };
  });
  return [...lets, ...wideLets, ...out.filter((s) => s.s !== 'let')];
};

/** A block with what is computed alike for four neighbours computed by vectors. */
export const withLanes = (body: readonly Stmt[], stored: ReadonlySet<number>): readonly Stmt[] => {
  const lanes = new Lanes(stored);
  const block = (stmts: readonly Stmt[]): readonly Stmt[] => {
    const out: Stmt[] = [];
    let run: Stmt[] = [];
    const flush = (): void => {
      out.push(...vectorStores(run, lanes));
      run = [];
    };
    for (const s of stmts) {
      const last = run.at(-1);
      if (s.s === 'store' || (s.s === 'let' && last?.s !== 'store')) run.push(s);
      else {
        flush();
        if (s.s === 'let') run.push(s);
        else out.push(mapStmt(s, lanes.rebuild, block));
      }
    }
    flush();
    return out;
  };
  return block(body);
};
