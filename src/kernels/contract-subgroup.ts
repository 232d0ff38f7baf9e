// Contraction without workgroup memory: each lane of a subgroup loads other elements of A and hands them round by broadcast, while
// it keeps four columns of B. A subgroup owns `rows` rows and 4 columns a lane; four summed positions a step.
import type { Caps } from '../compiler/ir/caps.ts';
import {
  call,
  component,
  type Expr,
  int,
  lit,
  rawCall,
  ref,
  scalarType,
  splat4,
  variable,
  vec4,
  where,
} from '../compiler/ir/expr.ts';
import { add, div, min, mod, mul } from '../compiler/ir/index-math.ts';
import { builtins, type Stmt } from '../compiler/ir/stmt.ts';
import type { Node } from '../dsl/core/types.ts';
import { storeTile } from './contract-store.ts';
import {
  asMatrixProduct,
  contractParts,
  loadA,
  loadB,
  type MatrixProduct,
  quadA,
  quadB,
  summedLast,
} from './contraction.ts';
import { bestHeight, counter } from './subgroup-tile.ts';
import type { Block, Emitted, KernelTemplate, Schedule } from './template.ts';

const i32 = scalarType('i32');
const f32x4 = scalarType('f32', 4);
const STEP = 4;

/** A lane's share of A for one step: register j of lane l holds quad l + j * lanes of the rows x 4 tile. */
interface Fragment {
  readonly quads: readonly Expr[];
  /** Element (row r, summed k) as seen by every lane. */
  readonly at: (r: number, k: number) => Expr;
}

const broadcast = (x: Expr, lane: number): Expr => rawCall('subgroupBroadcast', [x, int(lane)], scalarType('f32'));

const fragmentA = (
  p: MatrixProduct,
  block: Block,
  lanes: number,
  rows: number,
  batch: Expr,
  row0: Expr,
  step: Expr,
  lane: Expr,
): Fragment => {
  const registers = Math.ceil(rows / lanes);
  const name = (j: number): Expr => ref(`a${j}`, f32x4);
  const quadOf = (j: number): Expr => add(lane, int(j * lanes));
  // Stored [.., M, 4k]: a quad is one row; stored [.., K, 4m]: a quad is four rows of one summed position.
  const clampRow = (r: Expr): Expr => min(r, int(p.M - 1));
  const byRow = Array.from({ length: registers }, (_, j) =>
    quadA(p, block, batch, clampRow(add(row0, quadOf(j))), step, 'summed'),
  );
  if (p.K % STEP === 0 && byRow.every((q) => q !== null))
    return {
      quads: byRow.map((q) => q!),
      at: (r, k) => broadcast(component(name(Math.floor(r / lanes)), k), r % lanes),
    };
  if (p.M % 4 === 0 && p.K % STEP === 0 && rows % 4 === 0) {
    const perStep = rows / 4;
    const byColumn = Array.from({ length: registers }, (_, j) => {
      const v = min(quadOf(j), int(rows - 1));
      const quadRow = min(add(div(row0, 4), mod(v, perStep)), int(p.M / 4 - 1));
      return quadA(p, block, batch, quadRow, add(mul(step, int(STEP)), div(v, perStep)), 'row');
    });
    if (byColumn.every((q) => q !== null))
      return {
        quads: byColumn.map((q) => q!),
        at: (r, k) => {
          const v = k * perStep + Math.floor(r / 4);
          return broadcast(component(name(Math.floor(v / lanes)), r % 4), v % lanes);
        },
      };
  }
  const scalars = Array.from({ length: registers }, (_, j) => {
    const row = clampRow(add(row0, quadOf(j)));
    return vec4(
      [0, 1, 2, 3].map((k) => masked(p, add(mul(step, int(STEP)), int(k)), (s) => loadA(p, block, batch, row, s))),
    );
  });
  return { quads: scalars, at: (r, k) => broadcast(component(name(Math.floor(r / lanes)), k), r % lanes) };
};

/** 0 past the end of the summed axis; the load itself stays inside. */
const masked = (p: MatrixProduct, s: Expr, load: (s: Expr) => Expr): Expr => {
  if (p.K % STEP === 0) return load(s);
  const inside = load(min(s, int(p.K - 1)));
  return where(call('lt', s, int(p.K)), inside, lit(0, 'f32'));
};

interface Columns {
  /** vec4 over the lane's four columns, for summed positions 0..3 of a step. */
  readonly values: readonly Expr[];
  readonly setup: readonly Stmt[];
  readonly column: (c: number) => Expr;
  /** The lane's four columns are neighbours, and all inside where the first one is. */
  readonly quads: boolean;
}

const columnsB = (
  p: MatrixProduct,
  block: Block,
  lanes: number,
  batch: Expr,
  column0: Expr,
  step: Expr,
  lane: Expr,
): Columns => {
  const first = add(div(column0, 4), lane);
  const consecutive = (c: number): Expr => add(mul(first, int(4)), int(c));
  const quads = p.N % 4 === 0;
  if (quads) {
    const q = min(first, int(p.N / 4 - 1));
    const values = [0, 1, 2, 3].map((k) =>
      quadB(
        p,
        block,
        batch,
        q,
        p.K % STEP === 0 ? add(mul(step, int(STEP)), int(k)) : min(add(mul(step, int(STEP)), int(k)), int(p.K - 1)),
        'column',
      ),
    );
    if (values.every((x) => x !== null))
      return { values: values.map((x) => x!), setup: [], column: consecutive, quads };
  }
  const column = quads ? consecutive : (c: number): Expr => add(add(column0, lane), int(c * lanes));
  const inside = (c: number): Expr => min(column(c), int(p.N - 1));
  const rows = p.K % STEP === 0 ? [0, 1, 2, 3].map((c) => quadB(p, block, batch, inside(c), step, 'summed')) : [null];
  if (rows.every((x) => x !== null)) {
    const name = (c: number): Expr => ref(`bq${c}`, f32x4);
    return {
      setup: rows.map((x, c) => ({ s: 'let', name: `bq${c}`, value: x! })),
      values: [0, 1, 2, 3].map((k) => vec4([0, 1, 2, 3].map((c) => component(name(c), k)))),
      column,
      quads,
    };
  }
  const at = (k: number): Expr => min(add(mul(step, int(STEP)), int(k)), int(p.K - 1));
  return {
    setup: [],
    values: [0, 1, 2, 3].map((k) => vec4([0, 1, 2, 3].map((c) => loadB(p, block, batch, inside(c), at(k))))),
    column,
    quads,
  };
};

interface Params {
  readonly rows: number;
  readonly subgroups: number;
}
const params = (s: Schedule): Params => ({ rows: Number(s.rows), subgroups: Number(s.subgroups) });

const emit = (call_: Node, schedule: Schedule, block: Block, caps: Caps): Emitted => {
  const p = asMatrixProduct(call_)!;
  const { rows, subgroups } = params(schedule);
  const lanes = caps.subgroups!.max;
  const width = lanes * 4;
  const tilesM = Math.ceil(p.M / rows);
  const tilesN = Math.ceil(p.N / width);
  const total = p.B * tilesM * tilesN;
  const groups = Math.ceil(total / subgroups);
  const group = ref(builtins.group, i32, 0, groups - 1);
  const lane = ref(builtins.lane, i32, 0, lanes - 1);
  const which = subgroups === 1 ? int(0) : ref(builtins.subgroup, i32, 0, subgroups - 1);
  const raw = add(mul(group, int(subgroups)), which);
  const tile = total % subgroups === 0 ? raw : min(raw, int(total - 1));
  const batch = div(tile, tilesM * tilesN);
  const row0 = mul(mod(div(tile, tilesN), tilesM), int(rows));
  const column0 = mul(mod(tile, tilesN), int(width));
  const steps = Math.ceil(p.K / STEP);
  const step = counter('step', steps - 1);

  const fragment = fragmentA(p, block, lanes, rows, batch, row0, step, lane);
  const columns = columnsB(p, block, lanes, batch, column0, step, lane);
  const b = (k: number): Expr => ref(`b4_${k}`, f32x4);
  const acc = (r: number): Expr => variable(`acc${r}`, f32x4);
  const body: Stmt[] = [];
  for (let r = 0; r < rows; r++) body.push({ s: 'var', name: `acc${r}`, type: f32x4, value: splat4(lit(0, 'f32')) });
  const inner: Stmt[] = [
    ...fragment.quads.map((q, j): Stmt => ({ s: 'let', name: `a${j}`, value: q })),
    ...columns.setup,
    ...columns.values.map((v, k): Stmt => ({ s: 'let', name: `b4_${k}`, value: v })),
  ];
  for (let r = 0; r < rows; r++) {
    let sum: Expr = acc(r);
    for (let k = 0; k < STEP; k++) sum = rawCall('add', [sum, rawCall('mul', [fragment.at(r, k), b(k)], f32x4)], f32x4);
    inner.push({ s: 'assign', name: `acc${r}`, value: sum });
  }
  body.push({ s: 'for', counter: step, from: int(0), to: int(steps), step: 1, body: inner });
  body.push(
    ...storeTile(p, block, {
      rows,
      batch,
      row0,
      column: columns.column,
      quads: columns.quads,
      whole: p.M % rows === 0,
      full: p.N % width === 0,
      live: total % subgroups === 0 ? null : call('lt', raw, int(total)),
    }),
  );
  return { workgroupSize: lanes * subgroups, groups, subgroups: true, body };
};

/** Heights to choose from: where compile time counts, tall tiles must have the work to pay for it. */
const heightsFor = (p: MatrixProduct, caps: Caps): readonly [low: number, high: number] => {
  if (!caps.software) return [8, 16];
  const flops = 2 * p.B * p.M * p.N * p.K;
  return flops >= 1 << 29 ? [20, 32] : flops >= 1 << 23 ? [9, 16] : [5, 8];
};

const heuristic = (n: Node, caps: Caps): Schedule => {
  const p = asMatrixProduct(n)!;
  // Quads of rows, where A lies along its rows, make the height a multiple of four.
  const unit = summedLast(p, n) ? 1 : 4;
  const [low, high] = heightsFor(p, caps);
  const most = Math.min(high, Math.ceil(p.M / unit) * unit);
  const heights = Array.from({ length: most }, (_, i) => i + 1).filter(
    (r) => r % unit === 0 && r >= Math.min(low, most),
  );
  return { rows: bestHeight(p.M, heights), subgroups: caps.software ? 1 : 4 };
};

export const contractSubgroup: KernelTemplate = {
  name: 'contract-subgroup',
  version: 1,
  refuses: (n, caps) => {
    const p = asMatrixProduct(n);
    if (!p) return 'not a matrix product';
    if (n.dtype !== 'f32' && n.dtype !== 'f16') return `dtype ${n.dtype}`;
    if (!caps.subgroups || caps.subgroups.min !== caps.subgroups.max) return 'the subgroup size is not fixed';
    return p.K === 0 ? 'nothing to sum' : null;
  },
  space: (n, caps) => {
    const [first, ...rest] = [16, 8, 4, 12, 20, 24, 28, 32].flatMap((rows) =>
      (caps.software ? [1] : [1, 2, 4]).map((subgroups) => ({ rows, subgroups })),
    );
    return [first!, ...rest.filter((s) => s.rows <= Math.max(4, asMatrixProduct(n)!.M))];
  },
  heuristic,
  emit,
  ...contractParts(16, 32),
};
