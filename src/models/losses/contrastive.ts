// Contrastive losses over a batch of images and captions, image i with caption i.
import { pipe } from 'fp-ts/lib/function.js';
import { softplus } from '../../dsl/ops/activations.ts';
import { iota } from '../../dsl/ops/create.ts';
import { add, eq, mul, neg, where } from '../../dsl/ops/elementwise.ts';
import { meanCrossEntropy } from '../../dsl/ops/fused.ts';
import { transpose } from '../../dsl/ops/movement.ts';
import { mean, sum } from '../../dsl/ops/reduce.ts';
import type { Rank2 } from '../../dsl/shape.ts';
import type { ScalarTensor, Tensor } from '../../dsl/tensor.ts';

/** SigLIP's: -mean_i sum_j log sigmoid(z_ij logits_ij), z = 1 for pairs, -1 for all others. Logits [images, texts]. */
export const sigmoidContrastive = (logits: Tensor<Rank2>): ScalarTensor => {
  const [images, texts] = logits.shape;
  const paired = eq(iota([images, texts], 0), iota([images, texts], 1));
  return pipe(where(paired, neg(logits), logits), softplus, (x) => mean(sum(x, 1)));
};

/** CLIP's: cross entropy of each image over all texts, and of each text over all images, averaged. Logits [images, texts]. */
export const softmaxContrastive = (logits: Tensor<Rank2>): ScalarTensor => {
  const own = iota([logits.shape[0]], 0);
  return mul(add(meanCrossEntropy(logits, own), meanCrossEntropy(transpose(logits), own)), 0.5);
};
