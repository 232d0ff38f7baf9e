// Models as pure compositions over the language. Read in this order: nn/linear, nn/transformer; siglip, clip;
// residual-quantiser, project-block, pixel-decoder, dualtoken, losses; variants. taef2 is another family in the same words.
export { clip, clipText, clipVision } from './clip.ts';
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
  type Matched,
  type MatchOptions,
  type Mismatch,
  matchParams,
  renderMismatches,
  type StoredInfo,
} from './load.ts';
export * from './losses.ts';
export * from './nn/index.ts';
export { type PixelDecoderConfig, pixelDecoder } from './pixel-decoder.ts';
export { projectBlock } from './project-block.ts';
export * from './residual-quantiser.ts';
export { type Images, siglip, siglipText, siglipVision, type VisionOutputs } from './siglip.ts';
export { taef2Decoder, taef2Encoder } from './taef2.ts';
export * from './variants/index.ts';
