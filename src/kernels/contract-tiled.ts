// Contraction through workgroup memory, for adapters whose subgroups have no fixed size: a workgroup stages a tile of each operand, and
// every invocation keeps 4 x 4 results in registers.
import {
  call,
  component,
  type Expr,
  element,
  int,
  lit,
  ref,
  scalarType,
  splat4,
  variable,
  vec4,
  where,
} from '../compiler/ir/expr.ts';
import { add, div, min, mod, mul } from '../compiler/ir/index-math.ts';
import { builtins, type Stmt } from '../compiler/ir/stmt.ts';
import { storeTile } from './contract-store.ts';
import { asMatrixProduct, contractParts, loadA, loadB, type MatrixProduct, quadA, quadB } from './contraction.ts';
import { counter, plus, range, times } from './subgroup-tile.ts';
import type { Block, KernelTemplate, Schedule } from './template.ts';

const i32 = scalarType('i32');
const f32x4 = scalarType('f32', 4);
/** Summed positions that are staged at a time. */
const DEPTH = 16;

interface Tile {
  readonly rows: number;
  readonly columns: number;
  readonly size: number;
}
const tileOf = (s: Schedule): Tile => {
  const [rows, columns] = [Number(s.rows), Number(s.columns)];
  return { rows, columns, size: (rows / 4) * (columns / 4) };
};

/** 0 past the end of the summed axis; the load itself stays inside. */
const inside = (p: MatrixProduct, s: Expr, load: (s: Expr) => Expr): Expr => {
  if (s.hi < p.K) return load(s);
  return where(call('lt', s, int(p.K)), load(min(s, int(p.K - 1))), lit(0, 'f32'));
};

interface Staging {
  readonly p: MatrixProduct;
  readonly block: Block;
  readonly tile: Tile;
  readonly local: Expr;
  readonly batch: Expr;
  readonly row0: Expr;
  readonly column0: Expr;
  readonly summed0: Expr;
}

/** One statement for each quad that an invocation stages: `count` quads in all. */
const each = (
  s: Staging,
  array: string,
  count: number,
  one: (i: Expr) => Expr,
  place: (i: Expr) => Expr,
): readonly Stmt[] =>
  range(Math.ceil(count / s.tile.size)).flatMap((j): readonly Stmt[] => {
    const i = add(s.local, int(j * s.tile.size));
    const put: Stmt = { s: 'setElement', array, index: place(i), value: one(i) };
    const all = call('lt', i, int(count));
    return all.e === 'lit' ? [put] : [{ s: 'if', cond: all, then: [put] }];
  });

/** rows[m][k / 4]: quads along the summed axis. Neighbouring invocations read neighbours in memory. */
const stageA = (s: Staging): readonly Stmt[] => {
  const { p, block, batch } = s;
  const perRow = DEPTH / 4;
  const row = (m: Expr): Expr => min(add(s.row0, m), int(p.M - 1));
  const whole = p.K % DEPTH === 0 && quadA(p, block, batch, int(0), int(0), 'summed') !== null;
  const m = (i: Expr): Expr => (whole ? div(i, perRow) : mod(i, s.tile.rows));
  const q = (i: Expr): Expr => (whole ? mod(i, perRow) : div(i, s.tile.rows));
  const value = (i: Expr): Expr => {
    const first = add(s.summed0, mul(q(i), int(4)));
    const quad = whole ? quadA(p, block, batch, row(m(i)), div(first, 4), 'summed') : null;
    return (
      quad ?? vec4(range(4).map((k) => inside(p, add(first, int(k)), (at) => loadA(p, block, batch, row(m(i)), at))))
    );
  };
  return each(s, 'rows', s.tile.rows * perRow, value, (i) => add(mul(m(i), int(perRow)), q(i)));
};

/** columns[k][n / 4]: quads along the columns. */
const stageB = (s: Staging): readonly Stmt[] => {
  const { p, block, batch } = s;
  const perStep = s.tile.columns / 4;
  const whole = p.N % 4 === 0 && quadB(p, block, batch, int(0), int(0), 'column') !== null;
  const k = (i: Expr): Expr => (whole ? div(i, perStep) : mod(i, DEPTH));
  const q = (i: Expr): Expr => (whole ? mod(i, perStep) : div(i, DEPTH));
  const value = (i: Expr): Expr => {
    const at = add(s.summed0, k(i));
    const first = add(s.column0, mul(q(i), int(4)));
    const quad = whole
      ? quadB(p, block, batch, min(div(first, 4), int(p.N / 4 - 1)), min(at, int(p.K - 1)), 'column')
      : null;
    if (quad && p.K % DEPTH === 0) return quad;
    if (quad) return where(call('lt', at, int(p.K)), quad, splat4(lit(0, 'f32')));
    const column = (c: number): Expr => min(add(first, int(c)), int(p.N - 1));
    return vec4(range(4).map((c) => inside(p, at, (x) => loadB(p, block, batch, column(c), x))));
  };
  return each(s, 'columns', DEPTH * perStep, value, (i) => add(mul(k(i), int(perStep)), q(i)));
};

const emit: KernelTemplate['emit'] = (n, schedule, block) => {
  const p = asMatrixProduct(n)!;
  const tile = tileOf(schedule);
  const [tilesM, tilesN] = [Math.ceil(p.M / tile.rows), Math.ceil(p.N / tile.columns)];
  const groups = p.B * tilesM * tilesN;
  const group = ref(builtins.group, i32, 0, groups - 1);
  const local = ref(builtins.local, i32, 0, tile.size - 1);
  const perStep = tile.columns / 4;
  const [mine, across] = [div(local, perStep), mod(local, perStep)];
  const step = counter('step', Math.ceil(p.K / DEPTH) - 1);
  const staging: Staging = {
    p,
    block,
    tile,
    local,
    batch: div(group, tilesM * tilesN),
    row0: mul(mod(div(group, tilesN), tilesM), int(tile.rows)),
    column0: mul(mod(group, tilesN), int(tile.columns)),
    summed0: mul(step, int(DEPTH)),
  };
  const a = (r: number): Expr => ref(`a${r}`, f32x4);
  const acc = (r: number): Expr => variable(`acc${r}`, f32x4);
  const quad = counter('quad', DEPTH / 4 - 1);
  const products: readonly Stmt[] = [
    ...range(4).map((r): Stmt => {
      const at = add(mul(add(mul(mine, int(4)), int(r)), int(DEPTH / 4)), quad);
      return { s: 'let', name: `a${r}`, value: element('rows', at, f32x4) };
    }),
    ...range(4).map((k): Stmt => {
      const at = add(mul(add(mul(quad, int(4)), int(k)), int(perStep)), across);
      return { s: 'let', name: `b${k}`, value: element('columns', at, f32x4) };
    }),
    ...range(4).map((r): Stmt => {
      const sum = range(4).reduce((s, k) => plus(s, times(ref(`b${k}`, f32x4), component(a(r), k))), acc(r));
      return { s: 'assign', name: `acc${r}`, value: sum };
    }),
  ];
  const body: Stmt[] = [
    ...range(4).map((r): Stmt => ({ s: 'var', name: `acc${r}`, type: f32x4, value: splat4(lit(0, 'f32')) })),
    {
      s: 'for',
      counter: step,
      from: int(0),
      to: int(Math.ceil(p.K / DEPTH)),
      step: 1,
      body: [
        ...stageA(staging),
        ...stageB(staging),
        { s: 'barrier' },
        { s: 'for', counter: quad, from: int(0), to: int(DEPTH / 4), step: 1, body: products },
        { s: 'barrier' },
      ],
    },
    ...storeTile(p, block, {
      rows: 4,
      batch: staging.batch,
      row0: add(staging.row0, mul(mine, int(4))),
      column: (c) => add(add(staging.column0, mul(across, int(4))), int(c)),
      quads: p.N % 4 === 0,
      whole: p.M % tile.rows === 0,
      full: p.N % tile.columns === 0,
      live: null,
    }),
  ];
  return {
    workgroupSize: tile.size,
    groups,
    arrays: [
      { name: 'rows', type: f32x4, length: (tile.rows * DEPTH) / 4 },
      { name: 'columns', type: f32x4, length: (tile.columns * DEPTH) / 4 },
    ],
    body,
  };
};

const SAFE: Schedule = { rows: 32, columns: 32 };
const BYTES = 4 * DEPTH * (32 + 32);

export const contractTiled: KernelTemplate = {
  name: 'contract-tiled',
  version: 1,
  refuses: (n, caps) => {
    const p = asMatrixProduct(n);
    if (!p) return 'not a matrix product';
    if (n.dtype !== 'f32' && n.dtype !== 'f16') return `dtype ${n.dtype}`;
    if (caps.limits.invocations < 64 || caps.limits.workgroupBytes < BYTES) return 'workgroups are too small';
    return p.K === 0 ? 'nothing to sum' : null;
  },
  space: (_, caps) => {
    const fits = (s: Schedule): boolean => {
      const t = tileOf(s);
      return t.size <= caps.limits.invocations && 4 * DEPTH * (t.rows + t.columns) <= caps.limits.workgroupBytes;
    };
    const others = [
      { rows: 64, columns: 64 },
      { rows: 64, columns: 32 },
      { rows: 32, columns: 64 },
      { rows: 16, columns: 64 },
    ];
    return [SAFE, ...others.filter(fits)];
  },
  heuristic: (n, caps) => {
    const p = asMatrixProduct(n)!;
    if (p.M <= 16) return { rows: 16, columns: 64 };
    // Large tiles reuse more; small ones make enough workgroups of a small product.
    const many = p.B * Math.ceil(p.M / 64) * Math.ceil(p.N / 64) >= 32;
    return many && caps.limits.invocations >= 256 ? { rows: 64, columns: 64 } : SAFE;
  },
  emit,
  ...contractParts(32, 32),
};
