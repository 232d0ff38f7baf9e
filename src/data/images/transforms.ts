// From a photo of any size to the square that a model takes, as the references do it.
import { random } from '../random.ts';
import type { Filter } from './filters.ts';
import { type Box, crop, type Picture } from './picture.ts';
import { resize, resizePart } from './resample.ts';

/** A picture to a square one; `sample` is the number of the sample in the run, for transforms that draw. */
export type Transform = (picture: Picture, sample: number) => Picture;

/** Python's round: ties to even. */
const round = (x: number): number => {
  const floor = Math.floor(x);
  if (x - floor !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
};

/** SigLIP's official preprocessing: the whole picture, squeezed to `size` x `size`. */
export const squash =
  (size: number): Transform =>
  (picture) =>
    resize(picture, size, size);

/** torchvision's CenterCrop. */
const centreBox = (width: number, height: number, size: number): Box => ({
  left: round((width - size) / 2),
  top: round((height - size) / 2),
  width: size,
  height: size,
});

export interface CentreCropOptions {
  /** What the shorter side becomes before the square is cut out of the middle. Default: the side of the square. */
  readonly shorter?: number;
  readonly filter?: Filter;
}

/**
 * DualToken's evaluation: the shorter side to `size`, then the square in the middle (Resize and CenterCrop). ImageNet's classifiers
 * keep a border: MobileNetV2's preprocessor_config.json says `shorter` 256 and bilinear for squares of 224.
 */
export const centreCrop =
  (size: number, { shorter = size, filter }: CentreCropOptions = {}): Transform =>
  (picture) => {
    const { width, height } = picture;
    const long = Math.trunc((shorter * Math.max(width, height)) / Math.min(width, height));
    const [w, h] = width <= height ? ([shorter, long] as const) : ([long, shorter] as const);
    const box = centreBox(w, h, size);
    // Of a strip no more is computed than what is kept; where the square is the larger one it is black around.
    const [left, top] = [Math.max(0, box.left), Math.max(0, box.top)];
    const kept = { left, top, width: Math.min(w, size), height: Math.min(h, size) };
    const small = resizePart(picture, [w, h], kept, filter);
    return crop(small, { ...box, left: box.left - left, top: box.top - top });
  };

export interface RandomCropOptions {
  readonly seed: number;
  /** Share of the area that is kept. Default [0.9, 1], as in DualToken. */
  readonly scale?: readonly [number, number];
  /** Width over height of what is cut out. Default [3/4, 4/3]. */
  readonly ratio?: readonly [number, number];
}

/** torchvision's choice of the rectangle: ten tries, then the largest centred one with an allowed ratio. */
export const randomBox = (
  { width, height }: Picture,
  draw: (index: number) => number,
  [smallest, largest]: readonly [number, number],
  [narrowest, widest]: readonly [number, number],
): Box => {
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = width * height * (smallest + (largest - smallest) * draw(attempt * 4));
    const aspect = narrowest * (widest / narrowest) ** draw(attempt * 4 + 1);
    const w = round(Math.sqrt(area * aspect));
    const h = round(Math.sqrt(area / aspect));
    if (w < 1 || h < 1 || w > width || h > height) continue;
    const top = Math.floor(draw(attempt * 4 + 2) * (height - h + 1));
    const left = Math.floor(draw(attempt * 4 + 3) * (width - w + 1));
    return { left, top, width: w, height: h };
  }
  const w = Math.min(width, round(height * widest));
  const h = Math.min(height, round(width / narrowest));
  return { left: Math.floor((width - w) / 2), top: Math.floor((height - h) / 2), width: w, height: h };
};

/**
 * DualToken's training: RandomResizedCrop. The draw depends on the seed and on the sample's number
 * alone. With the defaults a photo longer than 1.48:1 (so 3:2 too) has no such crop: its middle is taken every time.
 */
export const randomResizedCrop =
  (size: number, { seed, scale = [0.9, 1], ratio = [3 / 4, 4 / 3] }: RandomCropOptions): Transform =>
  (picture, sample) =>
    resize(crop(picture, randomBox(picture, random(seed, 'crop', sample), scale, ratio)), size, size);
