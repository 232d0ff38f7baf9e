// Codes as pictures: one colour for each code, the same in every run, one panel for each depth.
import { type GridOptions, sideBySide } from './grid.ts';
import type { Picture } from './picture.ts';
import { enlarge } from './resample.ts';

/** Oklab to 8-bit sRGB, clamped into gamut (Ottosson 2020). */
const fromOklab = (lightness: number, a: number, b: number): readonly [number, number, number] => {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const encode = (x: number): number => {
    const linear = Math.min(1, Math.max(0, x));
    return Math.round(255 * (linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055));
  };
  return [
    encode(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    encode(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    encode(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
};

/** The fractional part of `n` steps of an irrational number: consecutive n land far apart, and no two together. */
const spread = (n: number, step: number): number => (n * step) % 1;

/** The colour of a code: hue, lightness and chroma step by the golden ratio, root 2 and root 3, so all three spread evenly. */
export const codeColour = (code: number): readonly [number, number, number] => {
  const hue = 2 * Math.PI * spread(code + 0.5, (Math.sqrt(5) - 1) / 2);
  const lightness = 0.35 + 0.55 * spread(code + 0.5, Math.SQRT2 - 1);
  const chroma = 0.05 + 0.1 * Math.sqrt(spread(code + 0.5, Math.sqrt(3) - 1));
  return fromOklab(lightness, chroma * Math.cos(hue), chroma * Math.sin(hue));
};

/** Codes in row-major order [height, width, depth]. */
export interface CodeGrid {
  readonly codes: ArrayLike<number>;
  readonly height: number;
  readonly width: number;
  readonly depth: number;
}

const panel = ({ codes, height, width, depth }: CodeGrid, level: number): Picture => {
  const data = new Uint8Array(height * width * 3);
  for (let i = 0; i < height * width; i++) data.set(codeColour(codes[i * depth + level]!), i * 3);
  return { width, height, data };
};

/** One panel for each depth, side by side, each code a square of `cell` pixels (default 16). */
export const codeMap = (codes: CodeGrid, options: GridOptions & { readonly cell?: number } = {}): Picture =>
  sideBySide(
    Array.from({ length: codes.depth }, (_, level) => enlarge(panel(codes, level), options.cell ?? 16)),
    options,
  );
