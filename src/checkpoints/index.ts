// Models as files, in this project's format and in published layouts, and their weights on a device. Read in this order:
// named-tensors, source: tensors by name, read when they are asked for; model-file: which model a file holds; place and load-checkpoint:
// weights to a device and to the host; load-mobilenet and perceptual: networks whose files come in several forms. tokenizer is one as a
// file, and ready for use; import and publish (with draw for what no file gives) are the ways from and to published files. normalisation is
// how a family takes its pictures, text-tokenizer whether texts go with a tower, failure what a model cannot do.
export { drawnSource } from './draw.ts';
export { TrainFailure } from './failure.ts';
export { type ImportPlan, importedSource, type NamedShape, planImport } from './import.ts';
export { hostParams, loadNamed, loadParams } from './load-checkpoint.ts';
export { findMobileNetV2, type LoadedMobileNet, loadMobileNetV2 } from './load-mobilenet.ts';
export { modelIn } from './model-file.ts';
export type { NamedTensor, NamedTensors, Shapes } from './named-tensors.ts';
export { normalisationOf } from './normalisation.ts';
export { filesOf, loadPerceptual, perceptualFault, perceptualNet, placePerceptual } from './perceptual.ts';
export { castOnce, freePlaced, inSingles, type OnBytes, type Placed, placedParams, placeStored } from './place.ts';
export { type PublishOptions, publishModel } from './publish.ts';
export {
  fileSource,
  hostSource,
  joinSources,
  pendingOf,
  readAll,
  renamed,
  type StoredAt,
  type TensorSource,
  wholeFile,
} from './source.ts';
export { textTokenizerFault } from './text-tokenizer.ts';
export {
  openTokenizer,
  type PictureCodes,
  type Tokenizer,
  type TokenizerFileOptions,
  tokenizerSpec,
  writeTokenizer,
} from './tokenizer.ts';
