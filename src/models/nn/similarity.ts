// Similarity of image and text embeddings, as SigLIP and CLIP compute it.
import { pipe } from 'fp-ts/lib/function.js';
import { einsum } from '../../dsl/ops/contract.ts';
import { add, exp, mul } from '../../dsl/ops/elementwise.ts';
import { l2Normalise } from '../../dsl/ops/fused.ts';
import { broadcastLike } from '../../dsl/ops/movement.ts';
import type { Rank2, Shape } from '../../dsl/shape.ts';
import type { Tensor } from '../../dsl/tensor.ts';

export interface Similarity {
  /** Embeddings of unit length [images, D] and [texts, D]. */
  readonly imageEmbeds: Tensor<Rank2>;
  readonly textEmbeds: Tensor<Rank2>;
  /** [images, texts]. */
  readonly logitsPerImage: Tensor<Rank2>;
}

/** exp(scale) cos(image, text) + bias; scale and bias have one element. */
export const similarity = <S extends Shape, T extends Shape = S>(
  images: Tensor<Rank2>,
  texts: Tensor<Rank2>,
  scale: Tensor<S>,
  bias?: Tensor<T>,
): Similarity => {
  const [imageEmbeds, textEmbeds] = [l2Normalise(images), l2Normalise(texts)];
  const cosines = einsum('id,td->it', imageEmbeds, textEmbeds);
  const scaled = pipe(cosines, mul(broadcastLike(exp(scale), cosines)));
  return { imageEmbeds, textEmbeds, logitsPerImage: bias ? add(scaled, broadcastLike(bias, cosines)) : scaled };
};
