// Whole convolutional tokenizers with the parameters of the case under their published names, and the norm that MoVQGAN adds.
import { add, mul } from '../../../src/dsl/ops/elementwise.ts';
import { reshape } from '../../../src/dsl/ops/movement.ts';
import { key } from '../../../src/dsl/ops/random.ts';
import { sum } from '../../../src/dsl/ops/reduce.ts';
import type { Rank4 } from '../../../src/dsl/shape.ts';
import type { ScalarTensor, Tensor } from '../../../src/dsl/tensor.ts';
import { valueAndGradAux } from '../../../src/dsl/transform/index.ts';
import type { ConvolutionalOutputs, ConvolutionalTokenizer } from '../../../src/models/convolutional-tokenizer.ts';
import { magvit2 } from '../../../src/models/magvit2.ts';
import { movqgan } from '../../../src/models/movqgan.ts';
import { spatialNorm } from '../../../src/models/nn/spatial-norm.ts';
import { type VqganConfig, vqgan } from '../../../src/models/vqgan.ts';
import { paramsFrom, rank4 } from '../../support/params.ts';
import { type GoldenCase, inputOf, numbers, setting } from '../case.ts';
import type { Evaluate, Kind } from '../kind.ts';

export const spatialNormKind: Kind = (c, evaluate) => {
  const [channels, condition] = c.model.get('conv_y.weight')!.shape;
  const norm = spatialNorm(channels!, condition!, setting(c, 'groups', 32));
  const y = norm.apply(paramsFrom(norm.spec, c.model))({ x: rank4(inputOf(c, 'f')), latent: rank4(inputOf(c, 'zq')) });
  return evaluate({ y });
};

const sizesOf = (c: GoldenCase) => ({
  ch: setting(c, 'ch'),
  ch_mult: numbers(c, 'ch_mult'),
  num_res_blocks: setting(c, 'num_res_blocks'),
  in_channels: c.model.get('encoder.conv_in.weight')!.shape[1]!,
  out_ch: c.model.get('decoder.conv_out.weight')!.shape[0]!,
  z_channels: c.model.get('encoder.conv_out.weight')!.shape[0]!,
  groups: setting(c, 'groups', 32),
});

/** Everything that a forward gives, and the gradient with respect to the picture. */
const runTokenizer = <C, P, Q>(
  c: GoldenCase,
  evaluate: Evaluate,
  tokenizer: ConvolutionalTokenizer<C, P, Q>,
  config: C,
  lossOf: (out: ConvolutionalOutputs) => ScalarTensor,
) => {
  const params = paramsFrom(tokenizer.spec(config), c.model, { ignore: tokenizer.ignore });
  const cotangent = rank4(inputOf(c, 'cotangent'));
  const loss = (image: Tensor<Rank4>) => {
    const out = tokenizer.forwardTraining(config, params, {}, key(0))(image);
    return [add(mul(sum(mul(out.reconstruction, cotangent)), 1 / 8), lossOf(out)), out] as const;
  };
  const { grads, aux } = valueAndGradAux(loss)(rank4(inputOf(c, 'image')));
  const own = reshape(aux.commitment, [1]);
  return evaluate({
    codes: aux.codes.pixel,
    reconstruction: aux.reconstruction,
    'grad.image': grads,
    // The reference calls it loss where it is all that the quantiser has, and its halves where there is an entropy beside it.
    ...(aux.entropy ? { commitment: own, entropy: reshape(aux.entropy, [1]) } : { loss: own }),
  });
};

const vqganConfig = (c: GoldenCase): VqganConfig => {
  const [codes, dim] = c.model.get('quantize.embedding.weight')!.shape;
  return {
    autoencoder: {
      ...sizesOf(c),
      attn_resolutions: numbers(c, 'attn_resolutions'),
      resolution: setting(c, 'resolution'),
    },
    quantiser: { codes: codes!, dim: dim! },
  };
};

const tabled = ({ commitment }: ConvolutionalOutputs): ScalarTensor => mul(commitment, 3);
export const vqganKind: Kind = (c, evaluate) => runTokenizer(c, evaluate, vqgan, vqganConfig(c), tabled);
export const movqganKind: Kind = (c, evaluate) => runTokenizer(c, evaluate, movqgan, vqganConfig(c), tabled);

export const magvit2Kind: Kind = (c, evaluate) => {
  const autoencoder = sizesOf(c);
  const config = {
    autoencoder,
    resolution: setting(c, 'resolution'),
    quantiser: { dim: autoencoder.z_channels },
  };
  return runTokenizer(c, evaluate, magvit2, config, ({ entropy, commitment }) =>
    add(mul(entropy!, 0.1), mul(commitment, 0.25)),
  );
};
