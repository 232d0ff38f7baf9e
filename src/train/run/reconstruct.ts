// What a tokenizer in training makes of pictures: a sheet of samples, and PSNR on pictures that it does not train on.
import * as E from 'fp-ts/lib/Either.js';
import { fromChannels, grid, type Picture, renderDataError, stackChannels } from '../../data/index.ts';
import { initParams } from '../../dsl/init.ts';
import { clamp, square, sub } from '../../dsl/ops/elementwise.ts';
import { mean } from '../../dsl/ops/reduce.ts';
import { unravel, views } from '../../dsl/ravel.ts';
import type { Rank4 } from '../../dsl/shape.ts';
import { type AnyTensor, type Tensor, unwrap } from '../../dsl/tensor.ts';
import type { TokenizerSystem } from '../../models/systems/index.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { HostTensor } from '../../runtime/tensor.ts';
import { TrainFailure } from '../failure.ts';
import type { Vectors } from '../optimiser/index.ts';
import { extraOf, type Trainer } from '../trainer/index.ts';

export interface Reconstructed {
  /** Rows of pictures, each with its reconstruction below it. */
  readonly sheet: Picture;
  /** Mean over the pictures of 10 log10(1 / (MSE + 1e-8)), decibels, for values in [0, 1]. */
  readonly psnr: number;
}

const COLUMNS = 8;
/** Large pictures are few at a time: what a decoder keeps grows with their pixels. */
const PIXELS_AT_ONCE = 16 * 64 ** 2;

export interface Reconstructor {
  readonly look: (pictures: readonly Picture[]) => Promise<Reconstructed>;
  /** Gives its program's memory back. */
  readonly free: () => Promise<void>;
}

/**
 * Pictures, all of the model's size, as the trainer's present state reconstructs them, by the mean of its weights where it keeps one;
 * null for a model without a decoder. Compiled at the first call.
 */
export const reconstructor = <P, Q, T>(
  runtime: Runtime,
  system: TokenizerSystem<P, Q, T>,
  trainer: Trainer<P>,
): Reconstructor | null => {
  const { size, decode: paint } = system;
  if (paint === null) return null;
  const own = extraOf((key) => initParams(system.stateSpec)({ key, path: '' }));
  const reconstruct = (vectors: Vectors, fixed: Vectors, extra: readonly AnyTensor[], images: Tensor<Rank4>) => {
    const params = unravel(trainer.layouts.params, vectors, views(trainer.layouts.fixed, fixed));
    const tables = system.tables(own.put(extra.map(unwrap)));
    const { pixel } = system.encode(params, tables)(images);
    if (pixel === undefined) throw new TrainFailure('samples: the model has a decoder, and no pixel codes');
    const out = clamp(-1, 1)(paint(params, tables)(pixel));
    return { images: out, mse: mean(square(sub(out, images)), [1, 2, 3]) };
  };
  const run = runtime.compile(reconstruct, { name: 'reconstruction' });
  const atOnce = Math.max(1, Math.floor(PIXELS_AT_ONCE / size ** 2));
  /** Reconstructions [3, H, W] of some pictures, and squared errors. */
  const few = async (pictures: readonly Picture[]) => {
    const images = new HostTensor(stackChannels(pictures), [pictures.length, 3, size, size], 'f32');
    const { params, ema, fixed, extra } = trainer.state();
    const out = await run(ema.length > 0 ? ema : params, fixed, extra, images);
    const [values, errors] = [await out.images.read(), await out.mse.read()];
    out.images.free();
    out.mse.free();
    return pictures.map((_, i) => {
      const picture = fromChannels(values, { width: size, height: size, offset: i * 3 * size * size });
      if (E.isLeft(picture)) throw new TrainFailure(`samples: ${renderDataError(picture.left)}`);
      return { picture: picture.right, error: errors[i]! };
    });
  };
  const look = async (pictures: readonly Picture[]): Promise<Reconstructed> => {
    const all: Awaited<ReturnType<typeof few>> = [];
    for (let i = 0; i < pictures.length; i += atOnce) all.push(...(await few(pictures.slice(i, i + atOnce))));
    const made = all.map(({ picture }) => picture);
    const rows = Array.from({ length: Math.ceil(pictures.length / COLUMNS) }, (_, r) =>
      [pictures, made].map((list) => list.slice(r * COLUMNS, (r + 1) * COLUMNS)),
    ).flat();
    // A quarter of the squared error: pictures are in [-1, 1], PSNR in [0, 1].
    const psnr = all.reduce((sum, { error }) => sum + 10 * Math.log10(1 / (error / 4 + 1e-8)), 0) / pictures.length;
    return { sheet: grid(rows), psnr };
  };
  return { look, free: run.free };
};
