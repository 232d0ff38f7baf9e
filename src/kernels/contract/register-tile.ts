// A product without workgroup memory and without subgroups: every invocation keeps a tile of results in registers and loads all that
// it multiplies. Neighbouring invocations take neighbouring columns, so that they read neighbours of one operand and the same of the other.
import { plus, range, times } from '../../compiler/ir/build.ts';
import { builtins } from '../../compiler/ir/builtins.ts';
import { call, component, type Expr, f32, f32x4, i32, int, ref, variable, zero4 } from '../../compiler/ir/expr.ts';
import { add, div, min, mod, mul } from '../../compiler/ir/index-math.ts';
import type { Stmt } from '../../compiler/ir/stmt.ts';
import { overSteps, type Parts } from '../parts.ts';
import type { Block, Emitted } from '../template.ts';
import { columnsOf, inQuads } from './columns.ts';
import { neighbours } from './neighbours.ts';
import { loadA, type MatrixProduct, orZero, quadA } from './product.ts';
import { accName, storeTile } from './store.ts';

export interface RegisterTile {
  readonly rows: number;
  /** Vectors of four columns. */
  readonly vectors: number;
  /** Summed positions of a step. */
  readonly depth: number;
  /** Tiles of a workgroup, and the invocations that share the summed positions of each. */
  readonly tiles: number;
  readonly parts: number;
}

/** Tiles that share a stretch of columns which come one by one: neighbours in memory for neighbouring invocations, and all of it near. */
const STRETCH = 16;

/** Tiles of a product along its columns, in stretches of equal length. */
const acrossOf = (
  p: MatrixProduct,
  t: Pick<RegisterTile, 'vectors'>,
): { readonly tiles: number; readonly stretch: number } => {
  const tiles = Math.ceil(p.N / (4 * t.vectors));
  if (inQuads(p)) return { tiles, stretch: tiles };
  const stretches = Math.ceil(tiles / STRETCH);
  const stretch = Math.ceil(tiles / stretches);
  return { tiles: stretch * stretches, stretch };
};
export const tilesOf = (p: MatrixProduct, t: RegisterTile): number =>
  p.B * Math.ceil(p.M / t.rows) * acrossOf(p, t).tiles;

interface RowStep {
  readonly setup: readonly Stmt[];
  /** Element (row r, position k of the step). */
  readonly value: (r: number, k: number) => Expr;
}

/** The rows' elements of a step: quads along the summed positions or along the rows where memory lies so. */
const rowsOf = (
  p: MatrixProduct,
  block: Block,
  t: Pick<RegisterTile, 'rows' | 'depth'>,
  batch: Expr,
  row0: Expr,
  step: Expr,
): RowStep => {
  const row = (r: number): Expr => min(add(row0, int(r)), int(p.M - 1));
  const quads = (
    count: number,
    quad: (i: number) => Expr | null,
    value: (name: (i: number) => Expr) => RowStep['value'],
  ): RowStep | null => {
    const all = range(count).map(quad);
    if (!all.every((q) => q !== null)) return null;
    const name = (i: number): string => `a${i}`;
    return {
      setup: all.map((q, i): Stmt => ({ s: 'let', name: name(i), value: q! })),
      value: value((i) => ref(name(i), f32x4)),
    };
  };
  // Where rows shift, those past the last one are read where they would lie: the shift must not depend on the tile.
  const summed = mul(step, int(4));
  const along =
    t.depth === 4
      ? quads(
          t.rows,
          (r) =>
            p.K % 4 === 0
              ? orZero(step, p.K / 4, (s) => quadA(p, block, batch, row(r), s, 'summed'))
              : summed.hi < p.K
                ? (neighbours(p, block, 0, 'summed', { batch, row: add(row0, int(r)), summed }, 1)?.[0] ?? null)
                : null,
          (name) => (r, k) => component(name(r), k),
        )
      : null;
  if (along) return along;
  const at = (k: number): Expr => add(mul(step, int(t.depth)), int(k));
  const perStep = t.rows / 4;
  const across =
    p.M % 4 === 0 && t.rows % 4 === 0
      ? quads(
          t.depth * perStep,
          (i) => {
            const quad = min(add(div(row0, 4), int(i % perStep)), int(p.M / 4 - 1));
            return orZero(at(Math.floor(i / perStep)), p.K, (s) => quadA(p, block, batch, quad, s, 'row'));
          },
          (name) => (r, k) => component(name(k * perStep + Math.floor(r / 4)), r % 4),
        )
      : null;
  if (across) return across;
  const name = (r: number, k: number): string => `a${r}_${k}`;
  return {
    setup: range(t.rows).flatMap((r) =>
      range(t.depth).map(
        (k): Stmt => ({
          s: 'let',
          name: name(r, k),
          value: orZero(at(k), p.K, (s) => loadA(p, block, batch, row(r), s)),
        }),
      ),
    ),
    value: (r, k) => ref(name(r, k), f32),
  };
};

export const emitRegisterTile = (p: MatrixProduct, t: RegisterTile, block: Block): Emitted => {
  const { tiles: tilesN, stretch } = acrossOf(p, t);
  const tilesM = Math.ceil(p.M / t.rows);
  const total = tilesOf(p, t);
  const groups = Math.ceil(total / t.tiles);
  const group = ref(builtins.group, i32, 0, groups - 1);
  const local = ref(builtins.local, i32, 0, t.tiles * t.parts - 1);
  const parts: Parts = {
    count: t.parts,
    part: div(local, t.tiles),
    owners: t.tiles,
    owner: mod(local, t.tiles),
  };
  const raw = add(mul(group, int(t.tiles)), parts.owner);
  const tile = total % t.tiles === 0 ? raw : min(raw, int(total - 1));
  const batch = div(tile, tilesM * tilesN);
  const row0 = mul(mod(div(tile, tilesN), tilesM), int(t.rows));
  const across = mod(tile, tilesN);
  const columns = columnsOf({
    p,
    block,
    batch,
    vectors: t.vectors,
    depth: t.depth,
    quad: (j) => add(mul(across, int(t.vectors)), j),
    scattered: (j, c) => {
      const first = add(mul(div(across, stretch), int(4 * t.vectors * stretch)), mod(across, stretch));
      return add(first, mul(add(mul(j, int(4)), int(c)), int(stretch)));
    },
  });
  const products = (step: Expr, depth: number): readonly Stmt[] => {
    const rows = rowsOf(p, block, { rows: t.rows, depth }, batch, row0, step);
    const read = columns.at(step, depth);
    const sums = range(t.rows).flatMap((r) =>
      range(t.vectors).map((j): Stmt => {
        const acc = variable(accName(r, j), f32x4);
        const sum = range(depth).reduce<Expr>((s, k) => plus(s, times(read.value(k, j), rows.value(r, k))), acc);
        return { s: 'assign', name: accName(r, j), value: sum };
      }),
    );
    return [...rows.setup, ...read.setup, ...sums];
  };
  const stored = storeTile(p, block, {
    rows: t.rows,
    vectors: t.vectors,
    batch,
    row0,
    column: columns.column,
    quads: inQuads(p),
    whole: p.M % t.rows === 0,
    full: p.N % (4 * t.vectors) === 0,
    live: total % t.tiles === 0 ? null : call('lt', raw, int(total)),
    parts,
  });
  return {
    workgroupSize: t.tiles * t.parts,
    groups,
    arrays: stored.arrays,
    body: [
      ...range(t.rows).flatMap((r) =>
        range(t.vectors).map((j): Stmt => ({ s: 'var', name: accName(r, j), type: f32x4, value: zero4 })),
      ),
      ...overSteps(parts, p.K, t.depth, products),
      ...stored.body,
    ],
  };
};
