// Contraction by the matrix units of a graphics card: four subgroups share a tile of results, two by two, each holding its quarter in
// matrices. Operands are staged in workgroup memory, with their producers fused in; results pass through it, row of matrices by row of
// matrices, on their way to the epilogue.

import { counter, loop, range } from '../../compiler/ir/build.ts';
import { builtins } from '../../compiler/ir/builtins.ts';
import type { Caps, SubgroupMatrix } from '../../compiler/ir/caps.ts';
import {
  and,
  call,
  castTo,
  component,
  type Expr,
  element,
  f32,
  f32x4,
  i32,
  int,
  ref,
  scalarType,
} from '../../compiler/ir/expr.ts';
import { add, div, mod, mul } from '../../compiler/ir/index-math.ts';
import type { MatrixType, Stmt, WorkgroupArray } from '../../compiler/ir/stmt.ts';
import type { Node } from '../../dsl/core/types.ts';
import { fixedSubgroup } from '../lanes.ts';
import type { Block, Emitted, KernelTemplate, Schedule } from '../template.ts';
import { inQuads } from './columns.ts';
import { asMatrixProduct, contractParts, isNarrow, type MatrixProduct, outAt, storedInHalf } from './product.ts';
import { type Put, type Staging, stageA, stageB, tilePlace } from './staging.ts';

/** Subgroups of a workgroup, along each side of its tile. */
const SIDE = 2;

const textOf = (u: SubgroupMatrix): string => `${u.component} ${u.M}x${u.N}x${u.K}`;

/**
 * The kinds of matrices that keep a product's bits but for the order of its sums: those of f16 only where both operands are f16, for
 * then products are exact in f32, and always sums in f32.
 */
const unitsFor = (n: Node, p: MatrixProduct, caps: Caps): readonly SubgroupMatrix[] => {
  const halves = caps.f16 && storedInHalf(n.src[p.operands[0]]!) && storedInHalf(n.src[p.operands[1]]!);
  const usable = caps.subgroupMatrices.filter((u) => u.result === 'f32' && (u.component === 'f32' || halves));
  return [...usable.filter((u) => u.component === 'f16'), ...usable.filter((u) => u.component === 'f32')];
};

interface Tile {
  readonly unit: SubgroupMatrix;
  readonly rows: number;
  readonly columns: number;
  /** Summed positions that are staged at a time. */
  readonly depth: number;
}

/** Elements in 16 bytes: lines of a staged tile are that much apart, so that they lie in other banks. */
const padding = (u: SubgroupMatrix): number => (u.component === 'f16' ? 8 : 4);

const arraysOf = (t: Tile): readonly [WorkgroupArray, WorkgroupArray, WorkgroupArray] => {
  const type = scalarType(t.unit.component);
  return [
    { name: 'rows', type, length: t.rows * (t.depth + padding(t.unit)) },
    { name: 'columns', type, length: t.depth * (t.columns + padding(t.unit)) },
    { name: 'results', type: f32, length: SIDE * t.unit.M * t.columns },
  ];
};
const bytesOf = (t: Tile): number =>
  arraysOf(t).reduce((sum, a) => sum + (a.type.scalar === 'f16' ? 2 : 4) * a.length, 0);

const sizeOf = (caps: Caps): number => SIDE * SIDE * fixedSubgroup(caps);

const fits = (t: Tile, caps: Caps): boolean =>
  t.rows % (SIDE * t.unit.M) === 0 &&
  t.columns % (SIDE * t.unit.N) === 0 &&
  t.unit.K % 4 === 0 &&
  t.unit.N % 4 === 0 &&
  sizeOf(caps) <= caps.limits.invocations &&
  bytesOf(t) <= caps.limits.workgroupBytes;

const tileWith = (unit: SubgroupMatrix, rows: number, columns: number): Tile => {
  const wanted = unit.component === 'f16' ? 32 : 16;
  return { unit, rows, columns, depth: Math.ceil(wanted / unit.K) * unit.K };
};

const tilesFor = (n: Node, p: MatrixProduct, caps: Caps): readonly Tile[] =>
  unitsFor(n, p, caps)
    .flatMap((unit) =>
      [
        [32, 32],
        [64, 64],
        [32, 64],
        [64, 32],
        [128, 64],
      ].map(([rows, columns]) => tileWith(unit, rows!, columns!)),
    )
    .filter((t) => fits(t, caps));

const scheduleOf = (t: Tile): Schedule => ({
  rows: t.rows,
  columns: t.columns,
  depth: t.depth,
  unit: textOf(t.unit),
});
const tileOf = (s: Schedule, caps: Caps): Tile => {
  const unit = caps.subgroupMatrices.find((u) => u.result === 'f32' && textOf(u) === s.unit);
  if (!unit) throw new Error(`contraction: the adapter has no matrices ${s.unit}`);
  return { unit, rows: Number(s.rows), columns: Number(s.columns), depth: Number(s.depth) };
};

const tilesOf = (p: MatrixProduct, t: Tile): number => p.B * Math.ceil(p.M / t.rows) * Math.ceil(p.N / t.columns);

const accName = (i: number, j: number): string => `acc${i}_${j}`;

/** The quarter of a subgroup: its matrices, and where it begins in the tile. */
interface Quarter {
  readonly rows: readonly number[];
  readonly columns: readonly number[];
  readonly row0: Expr;
  readonly column0: Expr;
  readonly type: (role: MatrixType['role']) => MatrixType;
}
const quarterOf = ({ unit, rows, columns }: Tile): Quarter => {
  const subgroup = ref(builtins.subgroup, i32, 0, SIDE * SIDE - 1);
  const sizes = { left: [unit.M, unit.K], right: [unit.K, unit.N], result: [unit.M, unit.N] } as const;
  return {
    rows: range(rows / SIDE / unit.M),
    columns: range(columns / SIDE / unit.N),
    row0: mul(div(subgroup, SIDE), int(rows / SIDE)),
    column0: mul(mod(subgroup, SIDE), int(columns / SIDE)),
    type: (role) => ({
      role,
      scalar: role === 'result' ? unit.result : unit.component,
      rows: sizes[role][0],
      columns: sizes[role][1],
    }),
  };
};

/** Adds the products of one step of the sums to the subgroup's matrices. */
const multiply = (t: Tile, q: Quarter, step: number): readonly Stmt[] => {
  const { M, N, K } = t.unit;
  const [perRow, perLine] = [t.depth + padding(t.unit), t.columns + padding(t.unit)];
  const [left, right] = [(i: number): string => `left${step}_${i}`, (j: number): string => `right${step}_${j}`];
  return [
    ...q.rows.map((i): Stmt => {
      const index = add(mul(add(q.row0, int(i * M)), int(perRow)), int(step * K));
      return { s: 'loadMatrix', name: left(i), of: q.type('left'), array: 'rows', index, stride: perRow };
    }),
    ...q.columns.map((j): Stmt => {
      const index = add(add(q.column0, int(j * N)), int(step * K * perLine));
      return { s: 'loadMatrix', name: right(j), of: q.type('right'), array: 'columns', index, stride: perLine };
    }),
    ...q.rows.flatMap((i) =>
      q.columns.map((j): Stmt => ({ s: 'multiplyMatrices', into: accName(i, j), left: left(i), right: right(j) })),
    ),
  ];
};

/** A line of every subgroup's matrices at a time passes through `results`, so that the epilogue is written once. */
const leave = (t: Tile, q: Quarter, size: number, s: Staging): readonly Stmt[] => {
  const { M, N } = t.unit;
  const { p, block } = s;
  const width = t.columns / SIDE;
  const band = counter('band', q.rows.length - 1);
  const subgroup = ref(builtins.subgroup, i32, 0, SIDE * SIDE - 1);
  const keep = (i: number): readonly Stmt[] => {
    const then = q.columns.map((j): Stmt => {
      const index = add(mul(subgroup, int(M * width)), int(j * N));
      return { s: 'storeMatrix', name: accName(i, j), of: q.type('result'), array: 'results', index, stride: width };
    });
    return q.rows.length === 1 ? then : [{ s: 'if', cond: call('eq', band, int(i)), then }];
  };
  const quads = (SIDE * M * t.columns) / 4;
  const turn = counter('turn_out', Math.ceil(quads / size) - 1);
  const quad = add(mul(turn, int(size)), s.owner);
  const perQuarter = (M * width) / 4;
  const [quarter, inQuarter] = [div(quad, perQuarter), mod(quad, perQuarter)];
  const row = add(
    add(s.row0, mul(div(quarter, SIDE), int(t.rows / SIDE))),
    add(mul(band, int(M)), div(inQuarter, width / 4)),
  );
  const column = (c: number): Expr =>
    add(add(s.column0, mul(mod(quarter, SIDE), int(width))), add(mul(mod(inQuarter, width / 4), int(4)), int(c)));
  const out = (c: number): Expr => ref(`out${c}`, f32);
  const store = (c: number): readonly Stmt[] => block.store(0, outAt(p, s.batch, row, column(c)), out(c));
  const guard = (cond: Expr, then: readonly Stmt[]): readonly Stmt[] =>
    cond.e === 'lit' ? (cond.value ? then : []) : [{ s: 'if', cond, then }];
  const inRows = p.M % t.rows === 0 ? [] : [call('lt', row, int(p.M))];
  const inside = (c: number): Expr => [...inRows, call('lt', column(c), int(p.N))].reduce(and);
  const stores =
    p.N % t.columns === 0
      ? inRows.length === 0
        ? range(4).flatMap(store)
        : guard(inRows[0]!, range(4).flatMap(store))
      : inQuads(p)
        ? guard(inside(0), range(4).flatMap(store))
        : range(4).flatMap((c) => guard(inside(c), store(c)));
  const one: readonly Stmt[] = [
    ...range(4).map(
      (c): Stmt => ({ s: 'let', name: `out${c}`, value: element('results', add(mul(quad, int(4)), int(c)), f32) }),
    ),
    ...stores,
  ];
  const body: readonly Stmt[] = [
    ...q.rows.flatMap(keep),
    { s: 'barrier' },
    loop(turn, Math.ceil(quads / size), guard(call('lt', quad, int(quads)), one)),
    { s: 'barrier' },
  ];
  return [loop(band, q.rows.length, body)];
};

/** Keeps the four elements of a quad one by one: matrices are read from arrays of their own components. */
const putIn =
  (array: WorkgroupArray, stride: number): Put =>
  (line, quad, value, j) => {
    const name = `${array.name}_${j}`;
    const whole = ref(name, f32x4);
    return [
      { s: 'let', name, value },
      ...range(4).map(
        (c): Stmt => ({
          s: 'setElement',
          array: array.name,
          index: add(mul(line, int(stride)), add(mul(quad, int(4)), int(c))),
          value: castTo(component(whole, c), array.type.scalar),
        }),
      ),
    ];
  };

const emit = (n: Node, schedule: Schedule, block: Block, caps: Caps): Emitted => {
  const p = asMatrixProduct(n)!;
  const tile = tileOf(schedule, caps);
  const size = sizeOf(caps);
  const [tilesM, tilesN] = [Math.ceil(p.M / tile.rows), Math.ceil(p.N / tile.columns)];
  const groups = p.B * tilesM * tilesN;
  const group = ref(builtins.group, i32, 0, groups - 1);
  const turns = Math.ceil(p.K / tile.depth);
  const turn = counter('turn', turns - 1);
  const staging: Staging = {
    call: n,
    p,
    block,
    rows: tile.rows,
    columns: tile.columns,
    depth: tile.depth,
    size,
    owner: ref(builtins.local, i32, 0, size - 1),
    ...tilePlace(group, [tilesM, tilesN], tile),
    summed0: mul(turn, int(tile.depth)),
  };
  const quarter = quarterOf(tile);
  const arrays = arraysOf(tile);
  const pad = padding(tile.unit);
  const body: readonly Stmt[] = [
    ...quarter.rows.flatMap((i) =>
      quarter.columns.map((j): Stmt => ({ s: 'matrix', name: accName(i, j), of: quarter.type('result') })),
    ),
    loop(turn, turns, [
      ...stageA(staging, putIn(arrays[0], tile.depth + pad)),
      ...stageB(staging, putIn(arrays[1], tile.columns + pad)),
      { s: 'barrier' },
      ...range(tile.depth / tile.unit.K).flatMap((step) => multiply(tile, quarter, step)),
      { s: 'barrier' },
    ]),
    ...leave(tile, quarter, size, staging),
  ];
  return { workgroupSize: size, groups, arrays, subgroups: true, body };
};

/** Below these sizes matrices would be mostly empty. */
const LEAST = 16;
/** Workgroup tiles that keep a graphics card busy. */
const BUSY = 64;

export const contractMatrix: KernelTemplate = {
  name: 'contract-matrix',
  version: 1,
  refuses: (n, caps) => {
    const p = asMatrixProduct(n);
    if (!p) return 'not a matrix product';
    if (n.dtype !== 'f32' && n.dtype !== 'f16') return `dtype ${n.dtype}`;
    if (caps.software || caps.subgroupMatrices.length === 0) return 'the adapter has no subgroup matrices';
    if (fixedSubgroup(caps) === 0) return 'the subgroup size is not fixed';
    if (Math.min(p.M, p.N) < LEAST || p.K < LEAST / 2) return 'matrices would be mostly empty';
    if (isNarrow(p)) return 'long sums with few results want smaller tiles';
    return tilesFor(n, p, caps).length === 0 ? "none of the adapter's subgroup matrices fit" : null;
  },
  space: (n, caps) => {
    const [first, ...rest] = tilesFor(n, asMatrixProduct(n)!, caps).map(scheduleOf);
    return [first!, ...rest];
  },
  heuristic: (n, caps) => {
    const p = asMatrixProduct(n)!;
    const [first, ...rest] = tilesFor(n, p, caps);
    // Large tiles read less for each product; small ones make enough workgroups.
    const large = rest.find((t) => t.unit === first!.unit && t.rows === 64 && t.columns === 64);
    return scheduleOf(large && tilesOf(p, large) >= BUSY ? large : first!);
  },
  emit,
  ...contractParts(64, 64),
  // How a matrix unit adds up within a step is its own affair.
  order: (s) => `matrices ${s.unit}`,
};
