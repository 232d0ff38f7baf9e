// Networks by whose features two sets of pictures are compared, as clean-fid does: from 8 bits, by Pillow's bicubic filter on floats.
import { resizePlanes } from '../../data/images/resample-planes.ts';
import type { EvaluatedModel } from '../models/evaluated-model.ts';
import type { Vectors } from '../vectors.ts';
import { EvalFailure } from './failure.ts';

export interface FeatureNetwork {
  /** What its Fréchet distance is called: rFID is Inception's alone. */
  readonly title: string;
  readonly width: number;
  /** Features of pictures f32 [count, 3, side, side] in [-1, 1]. */
  readonly features: (pictures: Float32Array, count: number, side: number) => Promise<Vectors>;
}

/** The values of a picture as the authors store it: 0 to 255, computed in f32 and cut off, which takes some bytes of an original down by one. */
const bytes = (pictures: Float32Array): Float32Array =>
  pictures.map((x) => Math.trunc(Math.fround(Math.fround(Math.min(1, Math.max(-1, x)) + 1) * 127.5)));

const clip = (x: number): number => (x < 0 ? 0 : x > 255 ? 255 : x);

/** A model's features of pictures of any size, squeezed to its own. `output` is one of its features. */
export const networkOf = (model: EvaluatedModel, output: string, title: string): FeatureNetwork => {
  const described = model.outputs[output];
  if (described?.kind !== 'features') throw new EvalFailure(`${model.name} has no features '${output}'`);
  const measure = model.measure([output]);
  const { mean, std } = model.normalisation;
  return {
    title,
    width: described.width,
    features: async (pictures, count, side) => {
      const stored = { planes: count * 3, height: side, width: side, values: bytes(pictures) };
      const { values } = resizePlanes(stored, model.size, model.size);
      const plane = model.size ** 2;
      const images = values.map((x, i) => {
        const channel = Math.floor(i / plane) % 3;
        return (clip(x) / 255 - mean[channel]!) / std[channel]!;
      });
      const found = (await measure(images))[output];
      if (!(found instanceof Float32Array)) throw new EvalFailure(`${model.name}: '${output}' are no features`);
      return { count, width: described.width, values: found };
    },
  };
};
