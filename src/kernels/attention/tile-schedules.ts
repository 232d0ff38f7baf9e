// In what tiles a processor goes through attention, and what of it lies in a thread's scratch memory.
import type { Caps } from '../../compiler/ir/caps.ts';
import type { Node } from '../../dsl/core/types.ts';
import { readsHalves } from '../contract/product.ts';
import type { Schedule } from '../template.ts';

/** What is known of a call, as rows that meet others. */
export interface TiledCall {
  readonly rows: number;
  readonly others: number;
  /** Widths of the rows that are kept transposed, and of those that are summed. */
  readonly kept: readonly number[];
  readonly sums: readonly number[];
  /** Arrays of scores. */
  readonly scores: number;
  /** Operands that are brought into memory of the thread's own block by block, and their widths. */
  readonly staged: ReadonlyMap<number, number>;
}

const total = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0);
const padded = (widths: readonly number[]): number => total(widths.map((w) => 4 * Math.ceil(w / 4)));
/** Vectors that hold a number of each row are few. */
const FEW = 8;
const bytesOf = (t: TiledCall, s: Schedule): number => {
  const sums = padded(t.sums);
  const own = Number(s.rows) * (total(t.kept) + t.scores * Number(s.block) + sums + FEW);
  return 4 * (own + Number(s.block) * padded([...t.staged.values()]));
};
const fits = (t: TiledCall, s: Schedule, caps: Caps): boolean => bytesOf(t, s) <= caps.limits.workgroupBytes;

/** Vectors of a row to sum at a time, so that few or none are left: 12 or 16 sums of four rows, 8 where there are no more rows. */
const vectorsFor = (t: TiledCall): number => {
  if (t.rows < 3) return 8;
  return Math.max(...t.sums.map((w) => Math.floor(w / 4))) % 4 === 0 ? 4 : 3;
};

/** Elements of the staged others from which on they come in smaller blocks, and from which on they are not staged. */
const [WIDE, WIDEST] = [160, 320];

/** Of some operands, which are widened once a block and not once a row: those in half precision. `widths` by operand. */
export const stagedOperands = (call: Node, widths: Readonly<Record<number, number>>): ReadonlyMap<number, number> => {
  const halves = Object.entries(widths).filter(([k]) => readsHalves(call.src[Number(k)]!));
  if (padded(halves.map(([, width]) => width)) > WIDEST) return new Map();
  return new Map(halves.map(([k, width]) => [Number(k), width]));
};

const smallest = (t: TiledCall): Schedule => ({
  rows: 4,
  quads: 1,
  columns: 4,
  vectors: vectorsFor(t),
  block: t.others <= 32 || padded([...t.staged.values()]) > WIDE ? 32 : 64,
});

export const refusesTiles = (t: TiledCall, caps: Caps): string | null => {
  if (caps.target !== 'wasm') return 'vectors of an invocation are for processors';
  return fits(t, smallest(t), caps) ? null : 'the rows are too wide for scratch memory';
};

/** More rows do not make it faster, and would leave large machines without work. */
const ROWS = 16;

export const tileSpace = (t: TiledCall, caps: Caps): readonly [Schedule, ...Schedule[]] => {
  const tiles = [
    { quads: 1, columns: 4, vectors: 4 },
    { quads: 1, columns: 4, vectors: 3 },
    { quads: 2, columns: 4, vectors: 2 },
    { quads: 2, columns: 5, vectors: 3 },
    { quads: 1, columns: 8, vectors: 8 },
  ];
  const all = tiles.flatMap((tile) =>
    [8, ROWS, 32].flatMap((rows) => [32, 64, 128].map((block): Schedule => ({ rows, ...tile, block }))),
  );
  const offered = all.filter(
    (s) => fits(t, s, caps) && Number(s.rows) < 2 * Math.max(t.rows, 8) && Number(s.block) < 2 * Math.max(t.others, 32),
  );
  return [smallest(t), ...offered];
};

/** A multiply-add of its own takes two sums' worth of latency: twice as many sums keep it busy. */
export const tileSchedule = (t: TiledCall, caps: Caps): Schedule => {
  const small = smallest(t);
  if (t.rows <= 4) return small;
  const tile = { ...small, quads: caps.relaxedSimd ? 2 : 1 };
  const rows = [ROWS, 8].find((r) => r < 2 * t.rows && fits(t, { ...tile, rows: r }, caps));
  return rows ? { ...tile, rows } : small;
};
