// Models as pure compositions over the language. Read in this order: nn/linear, nn/transformer; siglip, clip;
// quantisers, project-block, autoencoders, dualtoken, losses; variants.
export { type AttentionProjectionOptions, attentionProjection } from './attention-projection.ts';
export * from './autoencoders/index.ts';
export { clip, clipText, clipVision } from './clip.ts';
export * from './discriminators/index.ts';
export * from './dualtoken.ts';
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
} from './load.ts';
export * from './losses/index.ts';
export * from './nn/index.ts';
export { projectBlock } from './project-block.ts';
export * from './quantisers/index.ts';
export { type Images, siglip, siglipText, siglipVision, type VisionOutputs } from './siglip.ts';
export * from './variants/index.ts';
