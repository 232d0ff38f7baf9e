// Few rows times a matrix, which is read once: what counts is that every load of the matrix is a whole vector. Where the matrix lies
// along the summed positions lanes share results (gemv-lanes.ts), else every invocation has columns of its own (register-tile.ts).
import type { Caps } from '../../compiler/ir/caps.ts';
import type { Node } from '../../dsl/core/types.ts';
import { fixedSubgroup } from '../lanes.ts';
import { orderOf } from '../parts.ts';
import type { KernelTemplate, Schedule } from '../template.ts';
import { chosenTile, registerTileOf, registerTiles } from './direct.ts';
import { emitLaneTile, type LaneTile, laneGroups } from './gemv-lanes.ts';
import { asMatrixProduct, contractParts, layoutOfB, type MatrixProduct } from './product.ts';
import { emitRegisterTile } from './register-tile.ts';

/** More rows use each element of the matrix often enough for tiles; on a CPU, where arithmetic is the dearer part, from the third on. */
const mostRows = (caps: Caps): number => (caps.software ? 2 : 8);

const isLaneSchedule = (s: Schedule): boolean => 'lanes' in s;
const laneTileOf = (s: Schedule): LaneTile => {
  const quads = Number(s.quads);
  if (quads !== 1 && quads !== 2) throw new Error(`matrix-vector product: ${quads} quads a lane`);
  return { lanes: Number(s.lanes), groups: Number(s.groups), columns: Number(s.columns), quads };
};

/** Summed positions below which a tree over lanes costs more than it saves. */
const SHORT = 128;
/** Lane groups that keep a graphics card busy. */
const BUSY = 512;
const WORKGROUP = 128;

const laneTile = (p: MatrixProduct, caps: Caps): LaneTile => {
  const subgroup = fixedSubgroup(caps) || 16;
  // No more lanes than have something to add up.
  const lanes = [64, 32, 16].find((l) => l <= subgroup && 16 * l <= p.K) ?? 8;
  if (caps.software) return { lanes, groups: 4, columns: 4, quads: 1 };
  const quads = p.K % 8 === 0 && 32 * lanes <= p.K ? 2 : 1;
  const tile = { lanes, groups: WORKGROUP / lanes, columns: p.M > 4 ? 2 : 4, quads } as const;
  return laneGroups(p, tile) >= BUSY ? tile : { ...tile, columns: 1 };
};

const heuristic = (n: Node, caps: Caps): Schedule => {
  const p = asMatrixProduct(n)!;
  return layoutOfB(p, n) === 'summed' ? { ...laneTile(p, caps) } : { ...chosenTile(n, p, p.M, caps) };
};

const laneTiles = (p: MatrixProduct, caps: Caps): readonly LaneTile[] => {
  const subgroup = fixedSubgroup(caps) || 16;
  const fits = (t: LaneTile): boolean =>
    t.lanes * t.groups <= caps.limits.invocations &&
    4 * t.lanes * t.groups * p.M * t.columns <= caps.limits.workgroupBytes &&
    p.M * t.columns * t.quads <= 16 &&
    p.K >= 4 * t.lanes * t.quads;
  return [subgroup, subgroup / 2, 4 * subgroup]
    .flatMap((lanes) =>
      [4, 2, 1, 8].flatMap((columns) =>
        ([1, 2] as const).map((quads) => ({ lanes, groups: Math.max(1, Math.floor(32 / lanes)), columns, quads })),
      ),
    )
    .filter(fits);
};

export const contractGemv: KernelTemplate = {
  name: 'contract-gemv',
  version: 1,
  refuses: (n, caps) => {
    const p = asMatrixProduct(n);
    if (!p) return 'not a matrix product';
    if (n.dtype !== 'f32' && n.dtype !== 'f16') return `dtype ${n.dtype}`;
    if (p.K === 0) return 'nothing to sum';
    if (p.M > mostRows(caps)) return `${p.M} rows`;
    const layout = layoutOfB(p, n);
    if (layout === null) return 'the matrix lies along neither of its axes';
    if (layout === 'columns') return null;
    if (caps.software && fixedSubgroup(caps) === 0) return 'barriers are dear on a CPU';
    return p.K < SHORT ? 'sums are short' : null;
  },
  space: (n, caps) => {
    const p = asMatrixProduct(n)!;
    const tiles =
      layoutOfB(p, n) === 'summed'
        ? laneTiles(p, caps).map((t) => ({ ...t }))
        : registerTiles(p, [p.M], caps).map((t) => ({ ...t }));
    const [first, ...rest] = tiles.length > 0 ? tiles : [heuristic(n, caps)];
    return [first!, ...rest];
  },
  heuristic,
  emit: (n, schedule, block, caps) => {
    const p = asMatrixProduct(n)!;
    return isLaneSchedule(schedule)
      ? emitLaneTile(p, laneTileOf(schedule), block, caps)
      : emitRegisterTile(p, registerTileOf(schedule), block);
  },
  ...contractParts(8, 4),
  order: (s) =>
    isLaneSchedule(s) ? `${s.lanes} lanes of ${Number(s.quads) * 4}` : orderOf(Number(s.parts), Number(s.depth)),
};
