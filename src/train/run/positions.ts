// Position embeddings of a vision tower for another grid of patches: a tower that learned at one size of pictures starts at another.

import type { NamedTensor } from '../../checkpoints/index.ts';
import { resizePlanes } from '../../data/images/resample-planes.ts';

/** Rows before the grid (CLIP's class token), and the sides of both grids. */
export interface Grids {
  readonly before: number;
  readonly from: number;
  readonly to: number;
}

const table = /(^|\.)vision_model\.embeddings\.position_embedding\.weight$/;
const isSquare = (n: number): boolean => n > 0 && Number.isInteger(Math.sqrt(n));

/** How a stored [rows, width] becomes a wanted one, where `path` is a table of positions in a picture and both hold square grids. */
export const gridsOf = (path: string, stored: readonly number[], wanted: readonly number[]): Grids | null => {
  const [[from, width], [to, other]] = [stored, wanted] as const;
  if (!table.test(path) || stored.length !== 2 || width !== other || from === undefined || to === undefined)
    return null;
  const before = [0, 1].find((rows) => isSquare(from - rows) && isSquare(to - rows));
  return before === undefined ? null : { before, from: Math.sqrt(from - before), to: Math.sqrt(to - before) };
};

/** [before + from², width] -> [before + to², width]: bicubic, antialiased where the grid shrinks, as timm's `resample_abs_pos_embed`. */
export const resizePositions =
  ({ before, from, to }: Grids) =>
  ({ shape, data }: NamedTensor): NamedTensor => {
    const width = shape[1]!;
    const planes = new Float32Array(width * from * from);
    for (let at = 0; at < from * from; at++)
      for (let k = 0; k < width; k++) planes[k * from * from + at] = data[(before + at) * width + k]!;
    const { values } = resizePlanes({ planes: width, height: from, width: from, values: planes }, to, to);
    const made = new Float32Array((before + to * to) * width);
    made.set(data.subarray(0, before * width));
    for (let at = 0; at < to * to; at++)
      for (let k = 0; k < width; k++) made[(before + at) * width + k] = values[k * to * to + at]!;
    return { shape: [before + to * to, width], data: made };
  };
