// Contraction through workgroup memory: a workgroup stages a tile of each operand, and every invocation keeps `height` rows by
// `vectors` times four columns of results in registers.

import { counter, loop, plus, range, times } from '../../compiler/ir/build.ts';
import { builtins } from '../../compiler/ir/builtins.ts';
import type { Caps } from '../../compiler/ir/caps.ts';
import { component, type Expr, element, f32x4, i32, int, ref, variable, zero4 } from '../../compiler/ir/expr.ts';
import { add, div, mod, mul } from '../../compiler/ir/index-math.ts';
import type { Stmt } from '../../compiler/ir/stmt.ts';
import { manyRegisters } from '../lanes.ts';
import { meetingBytes, orderOf, type Parts, stepOf, turnsOf } from '../parts.ts';
import type { KernelTemplate, Schedule } from '../template.ts';
import { asMatrixProduct, contractParts, isNarrow, type MatrixProduct } from './product.ts';
import { type Staging, stageA, stageB, tilePlace } from './staging.ts';
import { accName, storeTile } from './store.ts';

/** Summed positions that are staged at a time. */
const DEPTH = 16;

interface Tile {
  readonly rows: number;
  readonly columns: number;
  /** Rows, and vectors of four columns, of an invocation. */
  readonly height: number;
  readonly vectors: number;
  readonly parts: number;
}
const tileOf = (s: Schedule): Tile => ({
  rows: Number(s.rows),
  columns: Number(s.columns),
  height: Number(s.height),
  vectors: Number(s.vectors),
  parts: Number(s.parts),
});

/** Invocations that share the tile, in each of the parts that share the summed positions. */
const sizeOf = (t: Tile): number => (t.rows / t.height) * (t.columns / (4 * t.vectors));

/** Bytes of workgroup memory. */
const bytesOf = (t: Tile): number =>
  4 * DEPTH * (t.rows + t.columns) * t.parts + meetingBytes(t.parts, sizeOf(t), t.height * t.vectors);

const fits = (t: Tile, caps: Caps): boolean =>
  sizeOf(t) * t.parts <= caps.limits.invocations && bytesOf(t) <= caps.limits.workgroupBytes;

const tilesOf = (p: MatrixProduct, rows: number, columns: number): number =>
  p.B * Math.ceil(p.M / rows) * Math.ceil(p.N / columns);

const emit: KernelTemplate['emit'] = (n, schedule, block) => {
  const p = asMatrixProduct(n)!;
  const tile = tileOf(schedule);
  const owners = sizeOf(tile);
  const [tilesM, tilesN] = [Math.ceil(p.M / tile.rows), Math.ceil(p.N / tile.columns)];
  const groups = p.B * tilesM * tilesN;
  const group = ref(builtins.group, i32, 0, groups - 1);
  const local = ref(builtins.local, i32, 0, owners * tile.parts - 1);
  const parts: Parts = { count: tile.parts, part: div(local, owners), owners, owner: mod(local, owners) };
  const perStep = tile.columns / 4;
  // An invocation's vectors lie apart, so that neighbouring invocations always read neighbouring ones.
  const apart = perStep / tile.vectors;
  const [mine, across] = [div(parts.owner, apart), mod(parts.owner, apart)];
  const quadOf = (j: Expr): Expr => add(across, mul(j, int(apart)));
  const turns = turnsOf(Math.ceil(p.K / DEPTH), tile.parts);
  const turn = counter('turn', turns - 1);
  const staging: Staging = {
    call: n,
    p,
    block,
    rows: tile.rows,
    columns: tile.columns,
    depth: DEPTH,
    size: owners,
    owner: parts.owner,
    ...tilePlace(group, [tilesM, tilesN], tile),
    summed0: mul(stepOf(parts, turn), int(DEPTH)),
  };
  const arrays = [
    { name: 'rows', type: f32x4, length: (tile.rows * DEPTH * tile.parts) / 4 },
    { name: 'columns', type: f32x4, length: (tile.columns * DEPTH * tile.parts) / 4 },
  ];
  /** Place of quad `quad` of a line in the part's share of array `a`. */
  const place = (a: 0 | 1, line: Expr, perLine: number, quad: Expr): Expr =>
    add(mul(parts.part, int(arrays[a]!.length / tile.parts)), add(mul(line, int(perLine)), quad));
  const put =
    (a: 0 | 1, perLine: number) =>
    (line: Expr, quad: Expr, value: Expr): readonly Stmt[] => [
      { s: 'setElement', array: arrays[a]!.name, index: place(a, line, perLine, quad), value },
    ];
  const quad = counter('quad', DEPTH / 4 - 1);
  const a = (r: number): Expr => ref(`a${r}`, f32x4);
  const b = (k: number, j: number): Expr => ref(`b${k}_${j}`, f32x4);
  const [heights, vectors] = [range(tile.height), range(tile.vectors)];
  const products: readonly Stmt[] = [
    ...heights.map((r): Stmt => {
      const at = place(0, add(mul(mine, int(tile.height)), int(r)), DEPTH / 4, quad);
      return { s: 'let', name: `a${r}`, value: element('rows', at, f32x4) };
    }),
    ...range(4).flatMap((k) =>
      vectors.map((j): Stmt => {
        const at = place(1, add(mul(quad, int(4)), int(k)), perStep, quadOf(int(j)));
        return { s: 'let', name: `b${k}_${j}`, value: element('columns', at, f32x4) };
      }),
    ),
    ...heights.flatMap((r) =>
      vectors.map((j): Stmt => {
        const acc = variable(accName(r, j), f32x4);
        const sum = range(4).reduce((s, k) => plus(s, times(b(k, j), component(a(r), k))), acc);
        return { s: 'assign', name: accName(r, j), value: sum };
      }),
    ),
  ];
  const stored = storeTile(p, block, {
    rows: tile.height,
    vectors: tile.vectors,
    batch: staging.batch,
    row0: add(staging.row0, mul(mine, int(tile.height))),
    column: (j, c) => add(add(staging.column0, mul(quadOf(j), int(4))), int(c)),
    quads: p.N % 4 === 0,
    whole: p.M % tile.rows === 0,
    full: p.N % tile.columns === 0,
    live: null,
    parts,
  });
  const body: readonly Stmt[] = [
    ...heights.flatMap((r) => vectors.map((j): Stmt => ({ s: 'var', name: accName(r, j), type: f32x4, value: zero4 }))),
    loop(turn, turns, [
      ...stageA(staging, put(0, DEPTH / 4)),
      ...stageB(staging, put(1, perStep)),
      { s: 'barrier' },
      loop(quad, DEPTH / 4, products),
      { s: 'barrier' },
    ]),
    ...stored.body,
  ];
  return { workgroupSize: owners * tile.parts, groups, arrays: [...arrays, ...stored.arrays], body };
};

const SAFE = { rows: 32, columns: 32, height: 4, vectors: 1, parts: 1 } satisfies Tile;
const LOW: Tile = { ...SAFE, rows: 16, columns: 64 };
const MIDDLE: Tile = { ...SAFE, rows: 64, columns: 64 };
const TALL: Tile = { ...MIDDLE, height: 8 };
const LARGE: Tile = { rows: 128, columns: 128, height: 8, vectors: 2, parts: 1 };
const ALL: readonly Tile[] = [
  SAFE,
  MIDDLE,
  TALL,
  { ...SAFE, rows: 64 },
  { ...SAFE, columns: 64 },
  LOW,
  { ...TALL, rows: 128 },
  LARGE,
];

/** Workgroup tiles that keep a graphics card busy. */
const BUSY = 128;

/** Into how many parts to cut the sums: a graphics card idles where there are few tiles. */
const partsFor = (p: MatrixProduct, t: Tile, caps: Caps): number => {
  const tiles = tilesOf(p, t.rows, t.columns);
  const useful = (parts: number): boolean =>
    tiles * parts <= BUSY && p.K >= parts * 4 * DEPTH && fits({ ...t, parts }, caps);
  return [4, 2].find(useful) ?? 1;
};

/** Large tiles read less for each product; small ones make enough workgroups of a small product, and fewer places past its ends. */
const heuristicTile = (p: MatrixProduct, caps: Caps): Tile => {
  if (p.M <= 16) return LOW;
  const places = (t: Tile): number => tilesOf(p, t.rows, t.columns) * t.rows * t.columns;
  const good = (t: Tile, enough: number, than: Tile): boolean =>
    fits(t, caps) && tilesOf(p, t.rows, t.columns) >= enough && places(t) <= 1.15 * places(than);
  if (manyRegisters(caps) && good(LARGE, BUSY, MIDDLE)) return LARGE;
  const middle = manyRegisters(caps) ? TALL : MIDDLE;
  return good(middle, BUSY / 2, SAFE) ? middle : SAFE;
};

export const contractTiled: KernelTemplate = {
  name: 'contract-tiled',
  version: 3,
  refuses: (n, caps) => {
    const p = asMatrixProduct(n);
    if (!p) return 'not a matrix product';
    if (n.dtype !== 'f32' && n.dtype !== 'f16') return `dtype ${n.dtype}`;
    if (caps.software) return 'barriers are dear on a CPU';
    if (!fits(SAFE, caps)) return 'workgroups are too small';
    if (isNarrow(p)) return 'long sums with few results want smaller tiles';
    return p.K === 0 ? 'nothing to sum' : null;
  },
  space: (n, caps) => {
    const p = asMatrixProduct(n)!;
    const split = ALL.flatMap((t) =>
      [2, 4].filter((parts) => parts <= partsFor(p, t, caps)).map((parts) => ({ ...t, parts })),
    );
    const rest = [...ALL.slice(1), ...split].filter((t) => fits(t, caps));
    return [{ ...SAFE }, ...rest.map((t) => ({ ...t }))];
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
