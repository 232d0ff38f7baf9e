// Convolution: which tiles and ways of the weights there are to choose from, and which to use where nothing was measured; see
// tile.ts.
import type { Caps } from '../../compiler/ir/caps.ts';
import type { Node } from '../../dsl/core/types.ts';
import { fixedSubgroup, manyRegisters, subgroupCounts } from '../lanes.ts';
import { meetingBytes, orderOf } from '../parts.ts';
import type { KernelTemplate, Schedule } from '../template.ts';
import { asConvolution, type Convolution } from './sizes.ts';
import { emitConvolution, SHARED } from './tile.ts';

const heights = [32, 28, 24, 20, 16, 12, 8, 6, 5, 4, 3, 2, 1] as const;

/** The height up to `most` that wastes fewest rows, the tallest of equals. */
const heightFor = (c: Convolution, most: number): number => {
  const waste = (r: number): number => Math.ceil(c.outputs / r) * r;
  return heights.filter((r) => r <= most).reduce((best, r) => (waste(r) < waste(best) ? r : best));
};

/** Workgroups that keep a graphics card busy. */
const BUSY = 128;

/**
 * The height where weights go through workgroup memory: a load from there serves four rows, a broadcast one. null where workgroups of
 * places would be too few or mostly empty.
 */
const sharedHeight = (c: Convolution, caps: Caps): number | null => {
  const across = Math.ceil(c.quads / SHARED);
  if (c.outputs < 4 || across * SHARED > 1.25 * c.quads) return null;
  const most = manyRegisters(caps) ? 16 : 8;
  const enough = (r: number): boolean => Math.ceil(c.outputs / r) * c.groups * across >= BUSY;
  const tallest = heights.find((r) => r >= 4 && r <= most && enough(r));
  return tallest === undefined ? null : heightFor(c, tallest);
};

/** In how many parts the sums of few results may be made, most first: a graphics card idles where there are few tiles. */
const partsFor = (c: Convolution, rows: number, caps: Caps): readonly number[] => {
  const lanes = fixedSubgroup(caps);
  const tiles = Math.ceil(c.outputs / rows) * c.groups * Math.ceil(c.quads / lanes);
  const steps = c.channels * c.kh * c.chunks;
  return [16, 8, 4, 2].filter(
    (parts) =>
      steps % parts === 0 &&
      steps >= 8 * parts &&
      tiles * parts <= 4 * BUSY &&
      lanes * parts <= caps.limits.invocations &&
      meetingBytes(parts, lanes, rows) <= caps.limits.workgroupBytes,
  );
};

const heuristic = (n: Node, caps: Caps): Schedule => {
  const c = asConvolution(n)!;
  const lanes = fixedSubgroup(caps);
  const height = caps.software ? null : sharedHeight(c, caps);
  if (height !== null) return { weights: 'shared', rows: height, subgroups: 1 };
  if (lanes < 2 || c.outputs < 2) return { weights: 'own', rows: heightFor(c, 8), subgroups: 1 };
  const flops = 2 * c.outputs * c.groups * c.images * c.height * c.width * c.channels * c.kh * c.kw;
  // Tall tiles compile slowly; wide machines need more of them.
  const most = caps.software && flops >= 1 << 28 && c.taps <= 4 ? 32 : 16;
  const tiles = (r: number): number => Math.ceil(c.outputs / r) * c.groups * Math.ceil(c.quads / lanes);
  const enough = caps.software ? 8 : 256;
  const rows = heights.filter((r) => r >= 4 && r <= most && (tiles(r) >= enough || r === 4))[0]!;
  const schedule = { weights: 'broadcast', rows: heightFor(c, rows), subgroups: subgroupCounts(caps).at(-1)! };
  const parts = caps.software ? [] : partsFor(c, schedule.rows, caps);
  return parts.length > 0 ? { ...schedule, subgroups: 1, parts: parts[0]! } : schedule;
};

export const conv: KernelTemplate = {
  name: 'conv',
  version: 1,
  refuses: (n, caps) => {
    if (!asConvolution(n)) return 'no convolution of floats';
    return n.dtype === 'f16' && !caps.f16 ? 'half precision needs packing' : null;
  },
  space: (n, caps) => {
    const c = asConvolution(n)!;
    const own = [4, 1, 2, 3, 8].map((rows) => ({ weights: 'own', rows, subgroups: 1 }));
    const subgroups = subgroupCounts(caps);
    const shared =
      fixedSubgroup(caps) < 2
        ? []
        : [16, 8, 4, 3, 2, 12, 20, 24, 28, 32].flatMap((rows) =>
            subgroups.map((s) => ({ weights: 'broadcast', rows, subgroups: s })),
          );
    const staged = caps.software
      ? []
      : [16, 8, 4, 12, 24, 32].map((rows) => ({ weights: 'shared', rows, subgroups: 1 }));
    const split =
      caps.software || fixedSubgroup(caps) < 2
        ? []
        : [4, 8, 16].flatMap((rows) =>
            partsFor(c, rows, caps).map((parts) => ({ weights: 'broadcast', rows, subgroups: 1, parts })),
          );
    const [first, ...rest]: readonly [Schedule, ...Schedule[]] = [
      own[0]!,
      ...own.slice(1),
      ...shared,
      ...staged,
      ...split,
    ];
    return [first, ...rest.filter((s) => Number(s.rows) <= Math.max(4, c.outputs) * 2)];
  },
  heuristic,
  emit: emitConvolution,
  work: (n) => {
    const c = asConvolution(n)!;
    const outputs = c.images * c.outputs * c.groups * c.height * c.width;
    const inputs = c.images * c.channels * c.groups * c.inputHeight * c.inputWidth;
    const weights = c.outputs * c.groups * c.channels * c.kh * c.kw;
    return { flops: 2 * outputs * c.channels * c.kh * c.kw, bytes: 4 * (outputs + inputs + weights) };
  },
  reuse: (n, k) => {
    const c = asConvolution(n)!;
    const places = c.images * c.height * c.width;
    return k === 0 ? Math.max(1, c.kh * Math.ceil(c.outputs / 16)) : Math.max(1, Math.ceil(places / 32));
  },
  order: (s) => orderOf(Number(s.parts ?? 1), 1),
  epilogue: true,
};
