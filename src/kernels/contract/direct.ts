// Contraction by register tiles alone, for any adapter; see register-tile.ts.
import { range } from '../../compiler/ir/build.ts';
import type { Caps } from '../../compiler/ir/caps.ts';
import type { Node } from '../../dsl/core/types.ts';
import { bestHeight } from '../lanes.ts';
import { meetingBytes, orderOf } from '../parts.ts';
import type { KernelTemplate, Schedule } from '../template.ts';
import { inQuads } from './columns.ts';
import {
  asMatrixProduct,
  COLUMNS_IN_ROWS,
  contractParts,
  halvesInB,
  layoutOfB,
  type MatrixProduct,
} from './product.ts';
import { emitRegisterTile, type RegisterTile, tilesOf } from './register-tile.ts';

/** The tile that a schedule names. */
export const registerTileOf = (s: Schedule): RegisterTile => {
  const depth = Number(s.depth);
  if (depth !== 1 && depth !== 2 && depth !== 4) throw new Error(`contraction: steps of ${depth}`);
  return {
    rows: Number(s.rows),
    vectors: Number(s.vectors),
    depth,
    tiles: Number(s.tiles),
    parts: Number(s.parts),
  };
};

const scheduleOf = (t: RegisterTile): Schedule => ({ ...t });

export const fitsTile = (t: RegisterTile, caps: Caps): boolean =>
  t.tiles * t.parts <= caps.limits.invocations &&
  meetingBytes(t.parts, t.tiles, t.rows * t.vectors) <= caps.limits.workgroupBytes;

/** Invocations that keep a graphics card busy. */
const BUSY = 1 << 14;

/** Bytes that neighbouring invocations should at least read together: a graphics card loads whole lines for fewer, too. */
const TOGETHER = 64;

/** The tile in as many parts as there is use for: a graphics card wants many invocations, a CPU full vectors. */
export const inParts = (p: MatrixProduct, t: RegisterTile, caps: Caps): RegisterTile => {
  const total = tilesOf(p, t);
  const wanted = caps.software ? 8 : BUSY;
  const split = [32, 16, 8, 4, 2]
    .map((parts) => ({ ...t, parts, tiles: Math.max(1, Math.min(t.tiles, 64 / parts)) }))
    .filter((s) => caps.software || 16 * s.vectors * s.tiles >= TOGETHER)
    .find((s) => total * s.parts <= wanted && p.K >= 32 * s.parts && fitsTile(s, caps));
  return split ?? t;
};

/** The tile of `rows` rows to use where nothing was measured. */
export const chosenTile = (call: Node, p: MatrixProduct, rows: number, caps: Caps): RegisterTile => {
  const tile = (vectors: number, depth: number): RegisterTile =>
    inParts(p, { rows, vectors, depth, tiles: caps.software ? 16 : 64, parts: 1 }, caps);
  const across = layoutOfB(p, call) !== 'summed';
  // Several vectors share what an element of a row costs. A CPU has few registers, and would rather have short steps.
  const many = p.N >= 64 || p.N % 16 === 0;
  if (caps.software && many && (rows > 2 || (across && inQuads(p)))) return tile(4, 1);
  // Each column takes a quad of its own along the summed positions.
  if (!across && p.K % 4 === 0) return tile(1, 4);
  // Rows of an odd length shift against their quads, alike after four of them; of whole words two vectors are then too much.
  const alike = p.N % 4 === 0 ? 1 : p.N % 2 === 0 ? 2 : 4;
  const vectors = p.N < 8 || (alike === 4 && !halvesInB(p, call)) ? 1 : 2;
  return tile(vectors, Math.max(alike, caps.software ? (rows > 4 ? 1 : 2) : rows > 4 ? 2 : 4));
};

const heightFor = (p: MatrixProduct, caps: Caps): number => {
  const most = Math.min(caps.software ? 8 : 4, p.M);
  return bestHeight(
    p.M,
    range(most)
      .map((r) => r + 1)
      .filter((r) => 2 * r > most),
    COLUMNS_IN_ROWS,
  );
};

/** Tiles of such heights to try, the first one safe. */
export const registerTiles = (p: MatrixProduct, heights: readonly number[], caps: Caps): readonly RegisterTile[] => {
  const tiles = caps.software ? 16 : 64;
  const all = heights.flatMap((rows) =>
    [1, 2, 4].flatMap((vectors) =>
      ([4, 2, 1] as const).map((depth): RegisterTile => ({ rows, vectors, depth, tiles, parts: 1 })),
    ),
  );
  // Much unrolled code is slow to compile.
  const useful = all.filter((t) => t.rows * t.vectors * t.depth <= 32);
  return [...useful, ...useful.map((t) => inParts(p, t, caps)).filter((t) => t.parts > 1)];
};

export const contractDirect: KernelTemplate = {
  name: 'contract-direct',
  version: 1,
  refuses: (n) => {
    const p = asMatrixProduct(n);
    if (!p) return 'not a matrix product';
    if (n.dtype !== 'f32' && n.dtype !== 'f16') return `dtype ${n.dtype}`;
    return p.K === 0 ? 'nothing to sum' : null;
  },
  space: (n, caps) => {
    const p = asMatrixProduct(n)!;
    const heights = [4, 1, 2, 8].filter((rows) => rows < 2 * p.M);
    const [first, ...rest] = registerTiles(p, heights, caps).map(scheduleOf);
    return [first!, ...rest];
  },
  heuristic: (n, caps) => {
    const p = asMatrixProduct(n)!;
    return scheduleOf(chosenTile(n, p, heightFor(p, caps), caps));
  },
  emit: (n, schedule, block) => emitRegisterTile(asMatrixProduct(n)!, registerTileOf(schedule), block),
  ...contractParts(4, 4),
  order: (s) => orderOf(Number(s.parts), Number(s.depth)),
};
