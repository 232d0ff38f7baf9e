// Contraction through workgroup memory, for adapters whose subgroups have no fixed size: a workgroup stages a tile of each operand, and
// every invocation keeps 4 x 4 results in registers.

import type { Caps } from '../compiler/ir/caps.ts';
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
} from '../compiler/ir/expr.ts';
import { add, div, min, mod, mul } from '../compiler/ir/index-math.ts';
import { builtins, type Stmt } from '../compiler/ir/stmt.ts';
import type { Node } from '../dsl/core/types.ts';
import { meetingBytes, orderOf, type Parts, stepOf, turnsOf } from './contract-parts.ts';
import { accName, storeTile } from './contract-store.ts';
import {
  asMatrixProduct,
  contractParts,
  layoutOfB,
  loadA,
  loadB,
  type MatrixProduct,
  orZero,
  quadA,
  quadB,
  summedLast,
} from './contraction.ts';
import { counter, plus, range, times } from './subgroup-tile.ts';
import type { Block, KernelTemplate, Schedule } from './template.ts';

const i32 = scalarType('i32');
const f32x4 = scalarType('f32', 4);
/** Summed positions that are staged at a time. */
const DEPTH = 16;

interface Tile {
  readonly rows: number;
  readonly columns: number;
  /** Invocations that share the tile, in each of the parts that share the summed positions. */
  readonly size: number;
  readonly parts: number;
}
const tileOf = (s: Schedule): Tile => {
  const [rows, columns] = [Number(s.rows), Number(s.columns)];
  return { rows, columns, size: (rows / 4) * (columns / 4), parts: Number(s.parts) };
};

/** Bytes of workgroup memory. */
const bytesOf = (t: Tile): number => 4 * DEPTH * (t.rows + t.columns) * t.parts + meetingBytes(t.parts, t.size, 4);

interface Staging {
  readonly call: Node;
  readonly p: MatrixProduct;
  readonly block: Block;
  readonly tile: Tile;
  readonly owner: Expr;
  readonly part: Expr;
  readonly batch: Expr;
  readonly row0: Expr;
  readonly column0: Expr;
  readonly summed0: Expr;
}

/** Place of quad `i` of the part's share of an array that holds `count` quads a part. */
const ofPart = (part: Expr, count: number, i: Expr): Expr => add(mul(part, int(count)), i);

/** One statement for each quad that an invocation stages: `count` quads in all. */
const each = (
  s: Staging,
  array: string,
  count: number,
  one: (i: Expr) => Expr,
  place: (i: Expr) => Expr,
): readonly Stmt[] =>
  range(Math.ceil(count / s.tile.size)).flatMap((j): readonly Stmt[] => {
    const i = add(s.owner, int(j * s.tile.size));
    const put: Stmt = { s: 'setElement', array, index: ofPart(s.part, count, place(i)), value: one(i) };
    const all = call('lt', i, int(count));
    return all.e === 'lit' ? [put] : [{ s: 'if', cond: all, then: [put] }];
  });

/** rows[m][k / 4]: quads along the summed axis. Neighbouring invocations read neighbours in memory. */
const stageA = (s: Staging): readonly Stmt[] => {
  const { p, block, batch } = s;
  const perRow = DEPTH / 4;
  const row = (m: Expr): Expr => min(add(s.row0, m), int(p.M - 1));
  const whole = p.K % 4 === 0 && quadA(p, block, batch, s.row0, div(s.summed0, 4), 'summed') !== null;
  const along = whole || summedLast(p, s.call);
  const m = (i: Expr): Expr => (along ? div(i, perRow) : mod(i, s.tile.rows));
  const q = (i: Expr): Expr => (along ? mod(i, perRow) : div(i, s.tile.rows));
  const value = (i: Expr): Expr => {
    const first = add(s.summed0, mul(q(i), int(4)));
    const quad = whole ? orZero(div(first, 4), p.K / 4, (at) => quadA(p, block, batch, row(m(i)), at, 'summed')) : null;
    return (
      quad ?? vec4(range(4).map((k) => orZero(add(first, int(k)), p.K, (at) => loadA(p, block, batch, row(m(i)), at))))
    );
  };
  return each(s, 'rows', s.tile.rows * perRow, value, (i) => add(mul(m(i), int(perRow)), q(i)));
};

/** columns[k][n / 4]: quads along the columns. */
const stageB = (s: Staging): readonly Stmt[] => {
  const { p, block, batch } = s;
  const perStep = s.tile.columns / 4;
  const whole = p.N % 4 === 0 && quadB(p, block, batch, div(s.column0, 4), s.summed0, 'column') !== null;
  const across = whole || layoutOfB(p, s.call) === 'columns';
  const k = (i: Expr): Expr => (across ? div(i, perStep) : mod(i, DEPTH));
  const q = (i: Expr): Expr => (across ? mod(i, perStep) : div(i, DEPTH));
  const value = (i: Expr): Expr => {
    const at = add(s.summed0, k(i));
    const first = add(s.column0, mul(q(i), int(4)));
    const quads = min(div(first, 4), int(Math.floor((p.N - 1) / 4)));
    const quad = whole ? orZero(at, p.K, (x) => quadB(p, block, batch, quads, x, 'column')) : null;
    const column = (c: number): Expr => min(add(first, int(c)), int(p.N - 1));
    return quad ?? vec4(range(4).map((c) => orZero(at, p.K, (x) => loadB(p, block, batch, column(c), x))));
  };
  return each(s, 'columns', DEPTH * perStep, value, (i) => add(mul(k(i), int(perStep)), q(i)));
};

const emit: KernelTemplate['emit'] = (n, schedule, block) => {
  const p = asMatrixProduct(n)!;
  const tile = tileOf(schedule);
  const [tilesM, tilesN] = [Math.ceil(p.M / tile.rows), Math.ceil(p.N / tile.columns)];
  const groups = p.B * tilesM * tilesN;
  const group = ref(builtins.group, i32, 0, groups - 1);
  const size = tile.size * tile.parts;
  const local = ref(builtins.local, i32, 0, size - 1);
  const parts: Parts = {
    count: tile.parts,
    part: div(local, tile.size),
    owners: tile.size,
    owner: mod(local, tile.size),
  };
  const perStep = tile.columns / 4;
  const [mine, across] = [div(parts.owner, perStep), mod(parts.owner, perStep)];
  const turns = turnsOf(Math.ceil(p.K / DEPTH), tile.parts);
  const turn = counter('turn', turns - 1);
  const staging: Staging = {
    call: n,
    p,
    block,
    tile,
    owner: parts.owner,
    part: parts.part,
    batch: div(group, tilesM * tilesN),
    row0: mul(mod(div(group, tilesN), tilesM), int(tile.rows)),
    column0: mul(mod(group, tilesN), int(tile.columns)),
    summed0: mul(stepOf(parts, turn), int(DEPTH)),
  };
  const [rowQuads, columnQuads] = [(tile.rows * DEPTH) / 4, (tile.columns * DEPTH) / 4];
  const a = (r: number): Expr => ref(`a${r}`, f32x4);
  const acc = (r: number): Expr => variable(accName(r, 0), f32x4);
  const quad = counter('quad', DEPTH / 4 - 1);
  const products: readonly Stmt[] = [
    ...range(4).map((r): Stmt => {
      const at = add(mul(add(mul(mine, int(4)), int(r)), int(DEPTH / 4)), quad);
      return { s: 'let', name: `a${r}`, value: element('rows', ofPart(parts.part, rowQuads, at), f32x4) };
    }),
    ...range(4).map((k): Stmt => {
      const at = add(mul(add(mul(quad, int(4)), int(k)), int(perStep)), across);
      return { s: 'let', name: `b${k}`, value: element('columns', ofPart(parts.part, columnQuads, at), f32x4) };
    }),
    ...range(4).map((r): Stmt => {
      const sum = range(4).reduce((s, k) => plus(s, times(ref(`b${k}`, f32x4), component(a(r), k))), acc(r));
      return { s: 'assign', name: accName(r, 0), value: sum };
    }),
  ];
  const stored = storeTile(p, block, {
    rows: 4,
    vectors: 1,
    batch: staging.batch,
    row0: add(staging.row0, mul(mine, int(4))),
    column: (_, c) => add(add(staging.column0, mul(across, int(4))), int(c)),
    quads: p.N % 4 === 0,
    whole: p.M % tile.rows === 0,
    full: p.N % tile.columns === 0,
    live: null,
    parts,
  });
  const body: readonly Stmt[] = [
    ...range(4).map((r): Stmt => ({ s: 'var', name: accName(r, 0), type: f32x4, value: splat4(lit(0, 'f32')) })),
    {
      s: 'for',
      counter: turn,
      from: int(0),
      to: int(turns),
      step: 1,
      body: [
        ...stageA(staging),
        ...stageB(staging),
        { s: 'barrier' },
        { s: 'for', counter: quad, from: int(0), to: int(DEPTH / 4), step: 1, body: products },
        { s: 'barrier' },
      ],
    },
    ...stored.body,
  ];
  return {
    workgroupSize: size,
    groups,
    arrays: [
      { name: 'rows', type: f32x4, length: rowQuads * tile.parts },
      { name: 'columns', type: f32x4, length: columnQuads * tile.parts },
      ...stored.arrays,
    ],
    body,
  };
};

const SAFE = { rows: 32, columns: 32, parts: 1 } satisfies Schedule;

/** Workgroup tiles that keep a graphics card busy. */
const BUSY = 128;

/** Into how many parts to cut the sums: a graphics card idles where there are few tiles. */
const partsFor = (p: MatrixProduct, s: typeof SAFE, caps: Caps): number => {
  const tiles = p.B * Math.ceil(p.M / s.rows) * Math.ceil(p.N / s.columns);
  const fits = (parts: number): boolean => {
    const t = tileOf({ ...s, parts });
    return (
      tiles * parts <= BUSY &&
      p.K >= parts * 4 * DEPTH &&
      t.size * parts <= caps.limits.invocations &&
      bytesOf(t) <= caps.limits.workgroupBytes
    );
  };
  return [4, 2].find(fits) ?? 1;
};
const heuristicTile = (p: MatrixProduct, caps: Caps): typeof SAFE => {
  if (p.M <= 16) return { rows: 16, columns: 64, parts: 1 };
  // Large tiles reuse more; small ones make enough workgroups of a small product.
  const many = p.B * Math.ceil(p.M / 64) * Math.ceil(p.N / 64) >= 32;
  return many && caps.limits.invocations >= 256 ? { rows: 64, columns: 64, parts: 1 } : SAFE;
};

export const contractTiled: KernelTemplate = {
  name: 'contract-tiled',
  version: 2,
  refuses: (n, caps) => {
    const p = asMatrixProduct(n);
    if (!p) return 'not a matrix product';
    if (n.dtype !== 'f32' && n.dtype !== 'f16') return `dtype ${n.dtype}`;
    if (caps.software) return 'barriers are dear on a CPU';
    if (caps.limits.invocations < 64 || caps.limits.workgroupBytes < bytesOf(tileOf(SAFE)))
      return 'workgroups are too small';
    return p.K === 0 ? 'nothing to sum' : null;
  },
  space: (n, caps) => {
    const p = asMatrixProduct(n)!;
    const fits = (s: Schedule): boolean => {
      const t = tileOf(s);
      return t.size * t.parts <= caps.limits.invocations && bytesOf(t) <= caps.limits.workgroupBytes;
    };
    const tiles = [
      SAFE,
      ...[
        [64, 64],
        [64, 32],
        [32, 64],
        [16, 64],
      ].map(([rows, columns]) => ({ rows: rows!, columns: columns!, parts: 1 })),
    ];
    const split = tiles.flatMap((s) =>
      [2, 4].filter((parts) => parts <= partsFor(p, s, caps)).map((parts) => ({ ...s, parts })),
    );
    const [first, ...rest] = [...tiles, ...split];
    return [first!, ...rest.filter(fits)];
  },
  heuristic: (n, caps) => {
    const p = asMatrixProduct(n)!;
    const tile = heuristicTile(p, caps);
    return { ...tile, parts: partsFor(p, tile, caps) };
  },
  emit,
  ...contractParts(32, 32),
  order: (s) => orderOf(Number(s.parts), DEPTH),
};
