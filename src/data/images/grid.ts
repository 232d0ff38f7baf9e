// Pictures laid out in rows: a photo beside its reconstruction.
import { blank, type Picture } from './picture.ts';

export interface GridOptions {
  /** Pixels between cells. Default 4. */
  readonly gap?: number;
  /** Colour of the gaps, and of cells that are not filled. Default white. */
  readonly background?: readonly [number, number, number];
}

const paste = (target: Picture, { width, height, data }: Picture, left: number, top: number): void => {
  for (let y = 0; y < height; y++)
    target.data.set(data.subarray(y * width * 3, (y + 1) * width * 3), ((top + y) * target.width + left) * 3);
};

/** The start of each cell on one axis, and after them the end of the last cell plus a gap. */
const starts = (sizes: readonly number[], gap: number): readonly number[] => {
  const out = [0];
  for (const size of sizes) out.push(out.at(-1)! + size + gap);
  return out;
};

/** Rows of pictures; a column is as wide as its widest picture, a row as high as its highest. */
export const grid = (rows: readonly (readonly Picture[])[], options: GridOptions = {}): Picture => {
  const { gap = 4, background = [255, 255, 255] } = options;
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, c) => Math.max(0, ...rows.map((row) => row[c]?.width ?? 0)));
  const heights = rows.map((row) => Math.max(0, ...row.map((cell) => cell.height)));
  const [lefts, tops] = [starts(widths, gap), starts(heights, gap)];
  const sheet = blank(Math.max(1, lefts.at(-1)! - gap), Math.max(1, tops.at(-1)! - gap), background);
  rows.forEach((row, r) => {
    row.forEach((cell, c) => {
      paste(sheet, cell, lefts[c]!, tops[r]!);
    });
  });
  return sheet;
};

/** Pictures in one row. */
export const sideBySide = (pictures: readonly Picture[], options?: GridOptions): Picture => grid([pictures], options);
