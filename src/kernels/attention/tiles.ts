// Attention's products on a processor with vectors of four: a workgroup owns rows, four to a vector, and meets the others in blocks.
// Everything of a row happens in its own lane, so that its result does not depend on who else is in the workgroup.
import { counter, loop, plus, range, times } from '../../compiler/ir/build.ts';
import { builtins } from '../../compiler/ir/builtins.ts';
import {
  component,
  type Expr,
  element,
  f32x4,
  i32,
  int,
  ref,
  splat4,
  variable,
  vec4,
  zero4,
} from '../../compiler/ir/expr.ts';
import { add, div, max, min, mod, mul, sub } from '../../compiler/ir/index-math.ts';
import type { Stmt, WorkgroupArray } from '../../compiler/ir/stmt.ts';
import type { Schedule } from '../template.ts';

const LANES = 4;

/** A workgroup's rows of one head, and in what steps it meets the others. */
export interface Rows {
  readonly batch: Expr;
  readonly keyHead: Expr;
  readonly row0: Expr;
  /** Rows of the head. */
  readonly count: number;
  /** Rows that a vector may hold: fewer than four where there are no more. */
  readonly lanes: number;
  readonly rows: number;
  readonly groups: number;
  /** Vectors of rows, and others, in a tile of scores. */
  readonly quads: number;
  readonly columns: number;
  /** Vectors of a row that are summed in registers at a time. */
  readonly vectors: number;
  /** Others in a block. */
  readonly size: number;
}

export const rowsFor = (batch: number, heads: number, count: number, s: Schedule): Rows => {
  const rows = Number(s.rows);
  const tiles = Math.ceil(count / rows);
  const groups = batch * heads * tiles;
  const group = ref(builtins.group, i32, 0, Math.max(0, groups - 1));
  const head = div(group, tiles);
  return {
    batch: div(head, heads),
    keyHead: mod(head, heads),
    row0: mul(mod(group, tiles), int(rows)),
    count,
    lanes: Math.min(LANES, count),
    rows,
    groups,
    quads: Number(s.quads),
    columns: Number(s.columns),
    vectors: Number(s.vectors),
    size: Number(s.block),
  };
};

/** Row of lane `r` of a vector of rows, no further than the last one. */
export const rowOf = (m: Rows, quad: Expr, r: number): Expr =>
  min(add(add(m.row0, mul(quad, int(LANES))), int(r)), int(m.count - 1));
/** A value of each row of a vector. */
export const perRow = (m: Rows, quad: Expr, value: (row: Expr) => Expr): Expr =>
  vec4(range(LANES).map((r) => value(rowOf(m, quad, r))));

/** Rows of the workgroup that are there. */
const liveRows = (m: Rows): Expr =>
  m.count % m.rows === 0 ? int(m.rows) : min(int(m.rows), sub(int(m.count), m.row0));
const upTo = (x: Expr, size: number): Expr => div(add(x, int(size - 1)), size);

const counted = (name: string, most: number, to: Expr, body: (i: Expr) => readonly Stmt[]): Stmt => {
  const i = counter(name, most - 1);
  return loop(i, to, body(i));
};

/** For each vector of rows with a row in it. */
export const overQuads = (m: Rows, body: (quad: Expr) => readonly Stmt[]): Stmt =>
  counted('quad', m.rows / LANES, upTo(liveRows(m), LANES), body);
/** For each row. */
export const overRows = (m: Rows, body: (row: Expr, local: Expr) => readonly Stmt[]): Stmt =>
  counted('row', m.rows, liveRows(m), (i) => body(min(add(m.row0, i), int(m.count - 1)), i));

/** A block of others: which is the first, how many there are in it, and of how many in all. */
export interface Others {
  readonly first: Expr;
  readonly count: Expr;
  readonly all: number;
}

/** For blocks of others from `from` on, as far as `end`. */
export const overBlocks = (
  m: Rows,
  all: number,
  from: Expr,
  end: Expr,
  body: (o: Others) => readonly Stmt[],
): readonly Stmt[] => {
  const known = from.e === 'lit' && from.value === 0 && end.e === 'lit' ? end.value : null;
  if (known !== null && known > 0 && known <= m.size) return body({ first: int(0), count: int(known), all });
  const last = from.e === 'lit' ? Math.floor((all - 1) / m.size) * m.size : all - 1;
  const first = counter('first', last);
  const even = known !== null && known % m.size === 0;
  const count = even ? int(m.size) : ref('count', i32, 1, Math.min(m.size, all));
  const left: Stmt = { s: 'let', name: 'count', value: max(min(sub(end, first), int(m.size)), int(1)) };
  const inner = body({ first, count, all });
  return [loop(first, end, even ? inner : [left, ...inner], { from, step: m.size })];
};

/** `body` for `step` others at a time, then for those that are left one by one; `i` counts from the block's first. */
export const overOthers = (
  m: Rows,
  o: Others,
  step: number,
  body: (other: Expr, i: Expr, count: number) => readonly Stmt[],
): readonly Stmt[] => {
  const part = (name: string, from: Expr, to: Expr, by: number): readonly Stmt[] => {
    if (by > o.all || by > m.size || (to.e === 'lit' && from.e === 'lit' && to.value <= from.value)) return [];
    const i = ref(name, i32, 0, Math.min(m.size, o.all) - by);
    const other = ref(`${name}_other`, i32, 0, o.all - by);
    const at: Stmt = { s: 'let', name: other.name, value: add(o.first, i) };
    return [loop(i, to, [at, ...body(other, i, by)], { from, step: by })];
  };
  if (step === 1) return part('each', int(0), o.count, 1);
  const whole = sub(o.count, mod(o.count, step));
  return [...part('each', int(0), whole, step), ...part('left', whole, o.count, 1)];
};

/** An array of a vector for each element of each vector of rows: `name[quad * width + d]`. */
export const transposed = (m: Rows, name: string, width: number, value: (row: Expr, d: Expr) => Expr): Stmt => {
  const put = (quad: Expr, d: Expr): Stmt => ({
    s: 'setElement',
    array: name,
    index: add(mul(quad, int(width)), d),
    value: perRow(m, quad, (row) => value(row, d)),
  });
  const quads = mul(upTo(liveRows(m), LANES * m.quads), int(m.quads));
  return counted('quad', m.rows / LANES, quads, (quad) => [counted('d', width, int(width), (d) => [put(quad, d)])]);
};
export const vectorArray = (name: string, length: number): WorkgroupArray => ({ name, type: f32x4, length });

/** Vectors in a row; the last one of a ragged row overlaps the one before it. */
export const vectorsIn = (width: number): number => Math.ceil(width / LANES);
const firstOf = (width: number, j: Expr): Expr => {
  const last = Math.max(0, width - LANES);
  return j.e === 'lit' ? int(Math.min(LANES * j.value, last)) : mul(j, int(LANES));
};
/** Element c of vector j of a row. */
const columnOf = (width: number, j: Expr, c: number): Expr => min(add(firstOf(width, j), int(c)), int(width - 1));

/** What the others are in a product: rows of `width` elements. */
export interface Operand {
  readonly width: number;
  readonly load: (other: Expr, d: Expr) => Expr;
  /** An array that a block of it lies in as f32 vectors, row by row; null: it is read where it is stored. */
  readonly staged: string | null;
}

/** Operand `k` of a call, and the array that a block of it lies in where it is among the staged. */
export const operandOf = (
  k: number,
  width: number,
  staged: ReadonlyMap<number, number>,
  load: (other: Expr, d: Expr) => Expr,
): Operand => ({ width, load, staged: staged.has(k) ? stagedName(k) : null });
const stagedName = (k: number): string => `staged${k}`;
export const stagedArrays = (m: Rows, staged: ReadonlyMap<number, number>): readonly WorkgroupArray[] =>
  [...staged].map(([k, width]) => vectorArray(stagedName(k), m.size * vectorsIn(width)));

/** Brings a block of a staged operand into its array. */
export const stage = (m: Rows, o: Others, p: Operand): readonly Stmt[] => {
  const { staged, width } = p;
  if (staged === null) return [];
  const [all, full] = [vectorsIn(width), Math.floor(width / LANES)];
  return overOthers(m, o, 1, (other, i) => {
    const put = (j: Expr): Stmt => ({
      s: 'setElement',
      array: staged,
      index: add(mul(i, int(all)), j),
      value: vec4(range(LANES).map((c) => p.load(other, columnOf(width, j, c)))),
    });
    return [
      ...(full > 0 ? [counted('vector', full, int(full), (j) => [put(j)])] : []),
      ...(all > full ? [put(int(full))] : []),
    ];
  });
};

export interface Products {
  /** `into[quad * size + i]` becomes the product of a vector of rows with the i-th of the block. */
  readonly into: string;
  /** The transposed rows. */
  readonly rows: string;
  readonly of: Operand;
}

/** Products of all rows with a block: an element of one of the others goes to all lanes. */
export const products = (m: Rows, o: Others, { into, rows, of }: Products): Stmt => {
  const { width, staged } = of;
  const acc = (u: number, c: number): string => `s${u}_${c}`;
  const pairs = (count: number): readonly (readonly [number, number])[] =>
    range(count).flatMap((c) => range(m.quads).map((u) => [u, c] as const));
  const step = (tile: Expr, d: Expr, k: number, count: number, one: (c: number) => Expr): readonly Stmt[] => {
    const at = add(d, int(k));
    const row = (u: number): Expr => add(mul(add(mul(tile, int(m.quads)), int(u)), int(width)), at);
    return [
      ...range(m.quads).map((u): Stmt => ({ s: 'let', name: `r${k}_${u}`, value: element(rows, row(u), f32x4) })),
      ...range(count).flatMap((c): readonly Stmt[] => [
        { s: 'let', name: `o${k}_${c}`, value: splat4(one(c)) },
        ...range(m.quads).map((u): Stmt => {
          const product = times(ref(`r${k}_${u}`, f32x4), ref(`o${k}_${c}`, f32x4));
          return { s: 'assign', name: acc(u, c), value: plus(variable(acc(u, c), f32x4), product) };
        }),
      ]),
    ];
  };
  const over = (to: number, by: number, body: (d: Expr) => readonly Stmt[]): readonly Stmt[] => {
    const d = ref('d', i32, 0, Math.max(0, to - by));
    return to > 0 ? [loop(d, to, body(d), { step: by })] : [];
  };
  // Two steps a turn: four would be read as one vector, and its elements then taken out of it.
  const inPlace = (tile: Expr, other: Expr, count: number): readonly Stmt[] => {
    const one = (at: Expr) => (c: number) => of.load(add(other, int(c)), at);
    const whole = width - (width % 2);
    return [
      ...over(whole, 2, (d) => range(2).flatMap((k) => step(tile, d, k, count, one(add(d, int(k)))))),
      ...(width > whole ? step(tile, int(whole), 0, count, one(int(whole))) : []),
    ];
  };
  const inArray = (array: string, tile: Expr, i: Expr, count: number): readonly Stmt[] => {
    const quad = (j: Expr): readonly Stmt[] =>
      range(count).map((c): Stmt => {
        const index = add(mul(add(i, int(c)), int(vectorsIn(width))), j);
        return { s: 'let', name: `x${c}`, value: element(array, index, f32x4) };
      });
    const one = (k: number) => (c: number) => component(ref(`x${c}`, f32x4), k);
    const full = width - (width % LANES);
    const last = Math.max(0, width - LANES);
    return [
      ...over(full, LANES, (d) => [
        ...quad(div(d, LANES)),
        ...range(LANES).flatMap((k) => step(tile, d, k, count, one(k))),
      ]),
      ...(width > full ? quad(int(full / LANES)) : []),
      ...range(width - full).flatMap((k) => step(tile, int(full), k, count, one(full + k - last))),
    ];
  };
  const tiles = m.rows / (LANES * m.quads);
  return counted('tile', tiles, upTo(liveRows(m), LANES * m.quads), (tile) =>
    overOthers(m, o, m.columns, (other, i, count) => [
      ...pairs(count).map(([u, c]): Stmt => ({ s: 'var', name: acc(u, c), type: f32x4, value: zero4 })),
      ...(staged === null ? inPlace(tile, other, count) : inArray(staged, tile, i, count)),
      ...pairs(count).map(([u, c]): Stmt => {
        const quad = add(mul(tile, int(m.quads)), int(u));
        const index = add(add(mul(quad, int(m.size)), i), int(c));
        return { s: 'setElement', array: into, index, value: variable(acc(u, c), f32x4) };
      }),
    ]),
  );
};

export interface Mixture {
  /** Sums by row: vector j of row r is `into[r * vectors + j]`. */
  readonly into: string;
  /** `weights[quad * size + i]`. */
  readonly weights: string;
  readonly of: Operand;
  /** What the sums of a vector of rows are multiplied by before. */
  readonly fade?: (quad: Expr) => Expr;
}

/** Adds the others of a block, weighted, to the sums of every row. */
export const mixed = (m: Rows, o: Others, p: Mixture): Stmt => {
  const { width, load, staged } = p.of;
  const all = vectorsIn(width);
  const full = Math.floor(width / LANES);
  const whole = full - (full % m.vectors);
  const acc = (r: number, v: number): string => `m${r}_${v}`;
  const step = (quad: Expr, j: Expr, count: number, other: Expr, i: Expr, c: number): readonly Stmt[] => {
    const weights = element(p.weights, add(add(mul(quad, int(m.size)), i), int(c)), f32x4);
    const value = (v: number): Expr => {
      const at = add(j, int(v));
      if (staged !== null) return element(staged, add(mul(add(i, int(c)), int(all)), at), f32x4);
      return vec4(range(LANES).map((k) => load(add(other, int(c)), columnOf(width, at, k))));
    };
    return [
      { s: 'let', name: `w${c}`, value: weights },
      ...range(count).map((v): Stmt => ({ s: 'let', name: `v${c}_${v}`, value: value(v) })),
      ...range(m.lanes).flatMap((r): readonly Stmt[] => [
        { s: 'let', name: `w${c}_${r}`, value: splat4(component(ref(`w${c}`, f32x4), r)) },
        ...range(count).map((v): Stmt => {
          const product = times(ref(`v${c}_${v}`, f32x4), ref(`w${c}_${r}`, f32x4));
          return { s: 'assign', name: acc(r, v), value: plus(variable(acc(r, v), f32x4), product) };
        }),
      ]),
    ];
  };
  const stretch = (quad: Expr, j: Expr, count: number): readonly Stmt[] => {
    const each = range(m.lanes).flatMap((r) => range(count).map((v) => [r, v] as const));
    const at = (r: number, v: number): Expr => add(add(mul(add(mul(quad, int(LANES)), int(r)), int(all)), j), int(v));
    return [
      ...each.map(([r, v]): Stmt => {
        const before = element(p.into, at(r, v), f32x4);
        const value = p.fade ? times(before, splat4(component(ref('fade', f32x4), r))) : before;
        return { s: 'var', name: acc(r, v), type: f32x4, value };
      }),
      ...overOthers(m, o, Math.min(LANES, m.size), (other, i, n) =>
        range(n).flatMap((c) => step(quad, j, count, other, i, c)),
      ),
      ...each.map(([r, v]): Stmt => {
        const value = variable(acc(r, v), f32x4);
        return { s: 'setElement', array: p.into, index: at(r, v), value };
      }),
    ];
  };
  const left = all - whole;
  const rest = range(Math.ceil(left / m.vectors)).map((k) => whole + k * m.vectors);
  return overQuads(m, (quad) => {
    const j = counter('stretch', Math.max(0, whole - m.vectors));
    const fade: Stmt[] = p.fade ? [{ s: 'let', name: 'fade', value: p.fade(quad) }] : [];
    const wholes: Stmt[] = whole > 0 ? [loop(j, whole, stretch(quad, j, m.vectors), { step: m.vectors })] : [];
    return [...fade, ...wholes, ...rest.flatMap((k) => stretch(quad, int(k), Math.min(m.vectors, all - k)))];
  });
};

export const cleared = (name: string, length: number): Stmt =>
  counted('at', length, int(length), (at) => [{ s: 'setElement', array: name, index: at, value: zero4 }]);

/** Stores the sums of every row. */
export const leaveRows = (
  m: Rows,
  from: string,
  width: number,
  value: (sum: Expr, local: Expr) => Expr,
  store: (row: Expr, d: Expr, value: Expr) => readonly Stmt[],
): Stmt => {
  const all = vectorsIn(width);
  const full = Math.floor(width / LANES);
  const vector = (row: Expr, local: Expr, j: Expr, columns: readonly number[]): readonly Stmt[] => [
    { s: 'let', name: 'out', value: value(element(from, add(mul(local, int(all)), j), f32x4), local) },
    ...columns.flatMap((c) => store(row, columnOf(width, j, c), component(ref('out', f32x4), c))),
  ];
  const own = range(Math.min(width, LANES)).slice(-(width % LANES));
  return overRows(m, (row, local) => [
    ...(full > 0 ? [counted('vector', full, int(full), (j) => vector(row, local, j, range(LANES)))] : []),
    ...(all > full ? vector(row, local, int(full), own) : []),
  ]);
};
