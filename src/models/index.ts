// Models as pure compositions over the language. Read in this order: nn/, siglip and clip (with hf-config), tower; quantisers/,
// project-block, attention-projection, autoencoders/, dualtoken (on dualtoken-parts); vqgan, movqgan and magvit2 (on
// convolutional-tokenizer), residual-movqgan; losses/, with discriminators/ and features/; systems/; variants/ (with
// config-faults). load, published and beside are about files of weights.
export {
  type AttentionProjectionOptions,
  type AttentionProjectionSpec,
  attentionProjection,
} from './attention-projection.ts';
export * from './autoencoders/index.ts';
export { type ClipVisionOutputs, clip, clipText, clipVision } from './clip.ts';
export {
  type ConvolutionalOutputs,
  type ConvolutionalTokenizer,
  convolutionalTokenizer,
  type ForwardOptions,
  type NoState,
  type TokenizerRecipe,
  type TokenizerSizes,
} from './convolutional-tokenizer.ts';
export * from './discriminators/index.ts';
export {
  type Codebooks,
  codebooksSpec,
  type DualTokenConfig,
  type DualTokenParams,
  decode,
  decodeFeatures,
  dualTokenSpec,
  type Encoded,
  encode,
  forwardTraining,
  type ProjectionKind,
  type Tables,
  type TrainingOptions,
  tablesSpec,
} from './dualtoken.ts';
export * from './features/index.ts';
export {
  type ClipConfig,
  parseClipConfig,
  parseSiglipConfig,
  type SiglipConfig,
  type TextConfig,
  type VisionConfig,
} from './hf-config.ts';
export {
  type MatchBy,
  type Matched,
  type MatchOptions,
  type Mismatch,
  matchParams,
  renderMismatches,
  type StoredInfo,
  type Survey,
  surveyParams,
} from './load.ts';
export * from './losses/index.ts';
export { type Magvit2Config, magvit2, magvit2ImageNet256, magvit2Mini } from './magvit2.ts';
export { movqgan, movqganConfigs, movqganMini } from './movqgan.ts';
export * from './nn/index.ts';
export { projectBlock } from './project-block.ts';
export { publishedLayout, publishedName, publishedShape } from './published.ts';
export * from './quantisers/index.ts';
export type { ResidualMovqganConfig } from './residual-movqgan.ts';
export { type Images, type SiglipInputs, siglip, siglipText, siglipVision, type VisionOutputs } from './siglip.ts';
export { type PartKind, partCounts, partKind } from './systems/counts.ts';
export {
  clipSystem,
  convolutionalSystem,
  dualTokenSystem,
  type Restarts,
  residualMovqganSystem,
  type SystemOutputs,
  type TextOutputs,
  type TokenizerSystem,
  towerSystem,
  withSystem,
} from './systems/index.ts';
export type { TowerConfig } from './tower.ts';
export * from './variants/index.ts';
export { type VqganConfig, vqgan, vqganImageNetF16, vqganMini } from './vqgan.ts';
