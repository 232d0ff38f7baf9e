// Contraction without workgroup memory: each lane of a subgroup loads other elements of A and hands them round by broadcast, while
// it keeps a few of B's columns. A subgroup owns `rows` rows and `vectors` times four columns a lane.

import { plus, range, times } from '../../compiler/ir/build.ts';
import { builtins } from '../../compiler/ir/builtins.ts';
import type { Caps } from '../../compiler/ir/caps.ts';
import {
  call,
  component,
  type Expr,
  f32,
  f32x4,
  i32,
  int,
  ref,
  variable,
  vec4,
  zero4,
} from '../../compiler/ir/expr.ts';
import { add, div, min, mod, mul } from '../../compiler/ir/index-math.ts';
import type { Stmt } from '../../compiler/ir/stmt.ts';
import type { Node } from '../../dsl/core/types.ts';
import { bestHeight, fixedSubgroup, rowOfLane, subgroupCounts } from '../lanes.ts';
import { meetingBytes, orderOf, overSteps, type Parts } from '../parts.ts';
import { broadcast } from '../subgroup-tile.ts';
import type { Block, Emitted, KernelTemplate, Schedule } from '../template.ts';
import { columnsOf, inQuads } from './columns.ts';
import { neighbours } from './neighbours.ts';
import {
  asMatrixProduct,
  COLUMNS_IN_ROWS,
  contractParts,
  isNarrow,
  layoutOfB,
  loadA,
  type MatrixProduct,
  oddAxis,
  orZero,
  quadA,
  summedLast,
} from './product.ts';
import { accName, storeTile } from './store.ts';

const STEP = 4;

/** A lane's share of A for one step: register j of lane l holds quad l + j * lanes of the tile, or in steps of one position an element. */
interface Fragment {
  readonly registers: readonly Expr[];
  /** Element (row r, summed k) as seen by every lane. */
  readonly at: (r: number, k: number) => Expr;
}

interface FragmentStep {
  readonly p: MatrixProduct;
  readonly block: Block;
  readonly lanes: number;
  readonly lane: Expr;
  readonly rows: number;
  readonly batch: Expr;
  readonly row0: Expr;
  readonly step: Expr;
  /** Summed positions of a step: STEP, or 1 for those that are left. */
  readonly depth: number;
  readonly caps: Caps;
}

const fragmentA = (f: FragmentStep): Fragment => {
  const { p, block, lanes, rows, batch, row0, step, depth } = f;
  const name = (j: number, of = f32x4): Expr => ref(`a${j}`, of);
  const share = (j: number): Expr => add(f.lane, int(j * lanes));
  const all = (count: number, one: (j: number) => Expr | null): readonly Expr[] | null => {
    const values = range(Math.ceil(count / lanes)).map(one);
    return values.every((x) => x !== null) ? values.map((x) => x!) : null;
  };
  const row = (j: number): Expr => min(add(row0, rowOfLane(f.lane, j, rows, f.caps)), int(p.M - 1));
  const ofRow = (r: number, k: number): Expr => broadcast(component(name(Math.floor(r / lanes)), k), r % lanes);
  // Stored [.., M, 4k]: a quad is one row; stored [.., K, 4m]: a quad is four rows of one summed position.
  const summed = mul(step, int(STEP));
  const byRow =
    depth !== STEP
      ? null
      : p.K % STEP === 0
        ? all(rows, (j) => orZero(step, p.K / STEP, (s) => quadA(p, block, batch, row(j), s, 'summed')))
        : summed.hi + STEP <= p.K
          ? all(rows, (j) => neighbours(p, block, 0, 'summed', { batch, row: row(j), summed }, 1)?.[0] ?? null)
          : null;
  if (byRow) return { registers: byRow, at: ofRow };
  const perStep = rows / 4;
  const byColumn =
    rows % 4 === 0
      ? all(perStep * depth, (j) => {
          const v = min(share(j), int(perStep * depth - 1));
          const quadRow = min(add(div(row0, 4), mod(v, perStep)), int(Math.ceil(p.M / 4) - 1));
          const at = add(mul(step, int(depth)), div(v, perStep));
          if (p.M % 4 === 0) return orZero(at, p.K, (s) => quadA(p, block, batch, quadRow, s, 'row'));
          const rowAt = mul(quadRow, int(4));
          return at.hi < p.K
            ? (neighbours(p, block, 0, 'row', { batch, row: rowAt, summed: at }, 1)?.[0] ?? null)
            : null;
        })
      : null;
  if (byColumn)
    return {
      registers: byColumn,
      at: (r, k) => {
        const v = k * perStep + Math.floor(r / 4);
        return broadcast(component(name(Math.floor(v / lanes)), r % 4), v % lanes);
      },
    };
  const element = (j: number, k: number): Expr =>
    orZero(add(mul(step, int(depth)), int(k)), p.K, (s) => loadA(p, block, batch, row(j), s));
  const registers = range(Math.ceil(rows / lanes));
  return depth === 1
    ? {
        registers: registers.map((j) => element(j, 0)),
        at: (r) => broadcast(name(Math.floor(r / lanes), f32), r % lanes),
      }
    : { registers: registers.map((j) => vec4(range(STEP).map((k) => element(j, k)))), at: ofRow };
};

interface Params {
  readonly rows: number;
  /** Vectors of four columns a lane. */
  readonly vectors: number;
  /** Summed positions of a step: one or four. */
  readonly depth: number;
  /** Along which axis of the result the next tile lies: the other one's operand stays in the cache. */
  readonly next: 'row' | 'column';
  /** Tiles of a workgroup, and the subgroups that share the summed positions of each. */
  readonly subgroups: number;
  readonly parts: number;
}
const params = (s: Schedule): Params => ({
  rows: Number(s.rows),
  vectors: Number(s.vectors),
  depth: Number(s.depth),
  next: s.next === 'row' ? 'row' : 'column',
  subgroups: Number(s.subgroups),
  parts: Number(s.parts),
});

const emit = (call_: Node, schedule: Schedule, block: Block, caps: Caps): Emitted => {
  const p = asMatrixProduct(call_)!;
  const { rows, vectors, depth: most, next, subgroups, parts: count } = params(schedule);
  const lanes = fixedSubgroup(caps);
  const width = lanes * 4 * vectors;
  const tilesM = Math.ceil(p.M / rows);
  const tilesN = Math.ceil(p.N / width);
  const total = p.B * tilesM * tilesN;
  const groups = Math.ceil(total / subgroups);
  const group = ref(builtins.group, i32, 0, groups - 1);
  const lane = ref(builtins.lane, i32, 0, lanes - 1);
  const member = subgroups * count === 1 ? int(0) : ref(builtins.subgroup, i32, 0, subgroups * count - 1);
  const which = div(member, count);
  const raw = add(mul(group, int(subgroups)), which);
  const tile = total % subgroups === 0 ? raw : min(raw, int(total - 1));
  const batch = div(tile, tilesM * tilesN);
  const [tileM, tileN] =
    next === 'row'
      ? [mod(tile, tilesM), mod(div(tile, tilesM), tilesN)]
      : [mod(div(tile, tilesN), tilesM), mod(tile, tilesN)];
  const row0 = mul(tileM, int(rows));
  const column0 = mul(tileN, int(width));
  const parts: Parts = {
    count,
    part: mod(member, count),
    owners: lanes * subgroups,
    owner: add(mul(which, int(lanes)), lane),
  };
  const at = { p, block, batch };
  const columns = columnsOf({
    ...at,
    vectors,
    depth: most,
    quad: (j) => add(add(div(column0, 4), mul(lane, int(vectors))), j),
    scattered: (j, c) => add(add(column0, lane), mul(add(mul(j, int(4)), int(c)), int(lanes))),
  });
  const results = range(rows).flatMap((r) => range(vectors).map((j) => ({ r, j, name: accName(r, j) })));
  const products = (step: Expr, depth: number): readonly Stmt[] => {
    const fragment = fragmentA({ ...at, lanes, lane, rows, row0, step, depth, caps });
    const read = columns.at(step, depth);
    return [
      ...fragment.registers.map((q, j): Stmt => ({ s: 'let', name: `a${j}`, value: q })),
      ...read.setup,
      ...results.map(({ r, j, name }): Stmt => {
        const before: Expr = variable(name, f32x4);
        const sum = range(depth).reduce((s, k) => plus(s, times(read.value(k, j), fragment.at(r, k))), before);
        return { s: 'assign', name, value: sum };
      }),
    ];
  };
  const stored = storeTile(p, block, {
    rows,
    vectors,
    batch,
    row0,
    column: columns.column,
    quads: inQuads(p),
    whole: p.M % rows === 0,
    full: p.N % width === 0,
    live: total % subgroups === 0 ? null : call('lt', raw, int(total)),
    parts,
  });
  const body: readonly Stmt[] = [
    ...results.map(({ name }): Stmt => ({ s: 'var', name, type: f32x4, value: zero4 })),
    ...overSteps(parts, p.K, most, products),
    ...stored.body,
  ];
  return { workgroupSize: lanes * subgroups * count, groups, arrays: stored.arrays, subgroups: true, body };
};

/** Four columns a lane in steps of four positions, or twice as many in steps of one. */
interface Shape {
  readonly vectors: number;
  readonly depth: number;
}
const NARROW: Shape = { vectors: 1, depth: STEP };
const WIDE: Shape = { vectors: 2, depth: 1 };

/** Steps of one position need B along its columns; twice the columns must not mean many more past the end. */
const mayBeWide = (p: MatrixProduct, call: Node, lanes: number): boolean => {
  const columns = (s: Shape): number => Math.ceil(p.N / (4 * lanes * s.vectors)) * s.vectors;
  return layoutOfB(p, call) === 'columns' && columns(WIDE) <= 1.1 * columns(NARROW);
};

const tilesOf = (p: MatrixProduct, rows: number, lanes: number): number =>
  p.B * Math.ceil(p.M / rows) * Math.ceil(p.N / (4 * lanes));

/** Lanes that keep a graphics card busy. */
const BUSY = 8192;

/** Heights to choose from: where compile time counts, tall tiles must have the work to pay for it. */
const heightsFor = (p: MatrixProduct, caps: Caps): readonly [low: number, high: number] => {
  // A graphics card with few tiles would rather have more of them.
  const lanes = fixedSubgroup(caps);
  if (!caps.software) return lanes * tilesOf(p, 16, lanes) < BUSY ? [4, 8] : [8, 16];
  const flops = 2 * p.B * p.M * p.N * p.K;
  return flops >= 1 << 29 ? [20, 32] : flops >= 1 << 23 ? [9, 16] : [5, 8];
};

/** Into how many parts to cut the sums: a graphics card idles where there are few tiles. On a CPU parts only take turns. */
const partsFor = (p: MatrixProduct, rows: number, caps: Caps): number => {
  if (caps.software) return 1;
  const lanes = fixedSubgroup(caps);
  const fits = (parts: number): boolean =>
    lanes * tilesOf(p, rows, lanes) * parts <= 2 * BUSY &&
    p.K >= parts * 16 * STEP &&
    lanes * parts <= caps.limits.invocations &&
    meetingBytes(parts, lanes, rows) <= caps.limits.workgroupBytes;
  return [8, 4, 2].find(fits) ?? 1;
};

/** The larger operand is read once, as far as the smaller one stays in the cache. */
const nextFor = (p: MatrixProduct): Params['next'] => (p.M < p.N ? 'row' : 'column');

const heuristic = (n: Node, caps: Caps): Schedule => {
  const p = asMatrixProduct(n)!;
  // Quads of rows, where A lies along its rows, make the height a multiple of four.
  const unit = summedLast(p, n) ? 1 : 4;
  const shape = caps.software && mayBeWide(p, n, fixedSubgroup(caps)) ? WIDE : NARROW;
  const [low, high] = heightsFor(p, caps);
  // Rows of odd lengths are read by the quads around them, which takes registers of a tall tile.
  const odd = p.K % STEP !== 0 && n.src.some((s) => oddAxis(s) >= 0);
  const tallest = caps.software && shape === NARROW && odd ? Math.min(high, 24) : high;
  const most = Math.min(tallest, Math.ceil(p.M / unit) * unit);
  const heights = Array.from({ length: most }, (_, i) => i + 1).filter(
    (r) => r % unit === 0 && r >= Math.min(low, most),
  );
  const rows = bestHeight(p.M, heights, COLUMNS_IN_ROWS);
  const parts = partsFor(p, rows, caps);
  return { rows, ...shape, next: nextFor(p), subgroups: parts > 1 ? 1 : subgroupCounts(caps).at(-1)!, parts };
};

export const contractSubgroup: KernelTemplate = {
  name: 'contract-subgroup',
  version: 4,
  refuses: (n, caps) => {
    const p = asMatrixProduct(n);
    if (!p) return 'not a matrix product';
    if (n.dtype !== 'f32' && n.dtype !== 'f16') return `dtype ${n.dtype}`;
    if (fixedSubgroup(caps) === 0) return 'the subgroup size is not fixed';
    if (!caps.software && isNarrow(p)) return 'long sums with few results want smaller tiles';
    return p.K === 0 ? 'nothing to sum' : null;
  },
  space: (n, caps) => {
    const p = asMatrixProduct(n)!;
    const next = nextFor(p);
    const shapes = mayBeWide(p, n, fixedSubgroup(caps)) ? [NARROW, WIDE] : [NARROW];
    const heights = [16, 8, 4, 12, 20, 24, 28, 32].filter((rows) => rows <= Math.max(4, p.M));
    const alone = heights.flatMap((rows) =>
      shapes.flatMap((shape) =>
        subgroupCounts(caps).map((subgroups) => ({ rows, ...shape, next, subgroups, parts: 1 })),
      ),
    );
    const split = heights.flatMap((rows) =>
      [2, 4, 8]
        .filter((parts) => parts <= partsFor(p, rows, caps))
        .map((parts) => ({ rows, ...NARROW, next, subgroups: 1, parts })),
    );
    const turned = alone
      .filter((s) => s.rows >= 16 && tilesOf(p, s.rows, fixedSubgroup(caps)) >= 256)
      .map((s): Schedule => ({ ...s, next: next === 'row' ? 'column' : 'row' }));
    const [first, ...rest] = [...alone, ...split, ...turned];
    return [first!, ...rest];
  },
  heuristic,
  emit,
  ...contractParts(16, 32),
  order: (s) => orderOf(Number(s.parts), Number(s.depth)),
};
