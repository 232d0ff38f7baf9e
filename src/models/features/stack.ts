// A stack of stages, of which the outputs after some are features: torchvision's `features`, and so its parameter names.
import * as RA from 'fp-ts/lib/ReadonlyArray.js';
import type { Layer } from '../../dsl/layer.ts';
import type { Conv2dSpec, Maps } from '../nn/conv2d.ts';

/** Pictures [N, 3, H, W] to the maps after some stages, the finest first; `widths` are their channels. */
export interface FeatureStack<P> extends Layer<P, Maps, readonly Maps[]> {
  readonly widths: readonly number[];
  /** Of smaller pictures a window would fit nowhere. */
  readonly leastSide: number;
}

/** A window that makes a map smaller, as a convolution or a pool takes it. */
export interface Shrinking {
  readonly window: number;
  readonly stride: number;
  readonly padding?: number;
  readonly ceil?: boolean;
}

/** The least side of pictures of which `windows`, one after another, leave a position. */
export const leastSide = (windows: readonly Shrinking[]): number =>
  windows.reduceRight(
    (side, { window, stride, padding = 0, ceil = false }) =>
      (side - 1) * stride + window - 2 * padding - (ceil ? stride - 1 : 0),
    1,
  );

/** One stage: a layer with one of the specs `P`, or a function without parameters. */
export type Stage<P> = (P extends unknown ? Layer<P, Maps, Maps> : never) | ((x: Maps) => Maps);

export interface StackSpec<P> {
  readonly features: readonly (P | undefined)[];
}
/** A stack of plain convolutions. */
export type ConvStack = FeatureStack<StackSpec<Conv2dSpec>>;

/** The outputs of `stages` after those at the positions `taps`, in order. */
export const outputsAfter =
  (stages: readonly ((x: Maps) => Maps)[], taps: readonly number[]) =>
  (x: Maps): readonly Maps[] => {
    const outputs = RA.scanLeft(x, (y: Maps, stage: (y: Maps) => Maps) => stage(y))(stages);
    return taps.map((tap) => outputs[tap + 1]!);
  };
