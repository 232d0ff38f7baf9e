// Losses, each a value with a name and a weight. loss: all of them as data; tokenizer: those that are functions of a forward;
// picture: those of what the decoder paints, with the adaptive weight; adversarial: of a discriminator's logits; contrastive and
// cosine: of embeddings; term: weighted sums.

export {
  type DiscriminatorLoss,
  discriminatorLosses,
  type GeneratorLoss,
  generatorLoss,
  generatorLosses,
  hingeLoss,
  type LecamOptions,
  type LecamState,
  type Logits,
  leakyHingeLoss,
  lecam,
  lecamSpec,
  nonSaturatingGeneratorLoss,
  nonSaturatingLoss,
  vanillaLoss,
} from './adversarial.ts';
export { sigmoidContrastive, softmaxContrastive } from './contrastive.ts';
export { meanCosine } from './cosine.ts';
export {
  type Adversarial,
  adversarialLoss,
  adversarialOf,
  commitmentLoss,
  contrastiveLoss,
  deepDistillation,
  dualTokenLosses,
  entropyLoss,
  type Loss,
  type LossOf,
  lossSchema,
  perceptualLoss,
  pixelLoss,
  pooledDistillation,
  teacherLoss,
} from './loss.ts';
export { adaptiveWeight, type Pulled, pullBack, weighted } from './picture.ts';
export { type Losses, type LossTerm, meanSquaredError, totalLoss } from './term.ts';
export { isPlain, type PlainLoss, pixelDistance, type TokenizerOutputs, termOf } from './tokenizer.ts';
