// What a tokenizer in training makes of pictures: a sheet of samples, and PSNR on pictures that it does not train on.
import * as E from 'fp-ts/lib/Either.js';
import { fromChannels, grid, type Picture, renderDataError, stackChannels } from '../data/index.ts';
import { zeros } from '../dsl/ops/create.ts';
import { clamp, square, sub } from '../dsl/ops/elementwise.ts';
import { mean } from '../dsl/ops/reduce.ts';
import { unravel } from '../dsl/ravel.ts';
import type { Rank4 } from '../dsl/shape.ts';
import { type AnyTensor, type Tensor, unwrap } from '../dsl/tensor.ts';
import { take } from '../dsl/transform/tensors.ts';
import { type DualTokenConfig, decodeFeatures, encode } from '../models/dualtoken.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { HostTensor } from '../runtime/tensor.ts';
import { TrainFailure } from './loop.ts';
import type { Vectors } from './optimise.ts';
import type { tokenizerTask } from './tokenizer-task.ts';
import type { Trainer } from './trainer.ts';

export interface Reconstructed {
  /** Rows of pictures, each with its reconstruction below it. */
  readonly sheet: Picture;
  /** Mean over the pictures of 10 log10(1 / MSE), decibels, for values in [0, 1]. */
  readonly psnr: number;
}

const COLUMNS = 8;

/** Pictures, all of the model's size, as the trainer's present state reconstructs them. Compiled at the first call. */
export const reconstructor = (
  runtime: Runtime,
  config: DualTokenConfig,
  task: ReturnType<typeof tokenizerTask>,
  trainer: Trainer<(typeof task)['spec']>,
): ((pictures: readonly Picture[]) => Promise<Reconstructed>) => {
  const own = take(task.initExtra(zeros([2], 'u32')));
  const reconstruct = (vectors: Vectors, extra: readonly AnyTensor[], images: Tensor<Rank4>) => {
    const params = unravel(trainer.layouts.params, vectors);
    const codebooks = own.put(extra.map(unwrap));
    const { pixel } = encode(config, params, codebooks)(images);
    const out = clamp(-1, 1)(decodeFeatures(config, params)(pixel.z));
    return { images: out, mse: mean(square(sub(out, images)), [1, 2, 3]) };
  };
  const run = runtime.compile(reconstruct, { name: 'reconstruction' });
  const size = config.decoder.resolution;
  return async (pictures) => {
    const images = new HostTensor(stackChannels(pictures), [pictures.length, 3, size, size], 'f32');
    const { params, extra } = trainer.state();
    const out = await run(params, extra, images);
    const [values, errors] = [await out.images.read(), await out.mse.read()];
    out.images.free();
    out.mse.free();
    const made = pictures.map((_, i) => {
      const picture = fromChannels(values, { width: size, height: size, offset: i * 3 * size * size });
      if (E.isLeft(picture)) throw new TrainFailure(`samples: ${renderDataError(picture.left)}`);
      return picture.right;
    });
    const rows = Array.from({ length: Math.ceil(pictures.length / COLUMNS) }, (_, r) =>
      [pictures, made].map((list) => list.slice(r * COLUMNS, (r + 1) * COLUMNS)),
    ).flat();
    // A quarter of the squared error: pictures are in [-1, 1], PSNR in [0, 1].
    const psnr = errors.reduce((sum, e) => sum + 10 * Math.log10(1 / (e / 4 + 1e-8)), 0) / pictures.length;
    return { sheet: grid(rows), psnr };
  };
};
