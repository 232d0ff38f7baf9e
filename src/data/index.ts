// Everything that reads and writes a user's files. Read in this order: error, text, json, atomic, range, gzip; images/, datasets/,
// safetensors/, tokenizers/ and hub/ have tables of contents of their own; then folder (with glob), random, order; last sample,
// threads/ and batches.
export { removeTemporaries, type WriteChunk, writeAtomic, writeAtomicFrom, writeFolderAtomic } from './atomic.ts';
export { type Batch, type BatchOptions, batches } from './batches.ts';
export * from './datasets/index.ts';
export {
  type DataError,
  DataFailure,
  type DatasetError,
  type FileError,
  type HubError,
  type ImageError,
  renderDataError,
  type SafetensorsError,
  type TokenizerError,
} from './error.ts';
export { expandPaths, isImagePath, listImages, type Wanted } from './folder.ts';
export * from './images/index.ts';
export { permutation, sampleOrder } from './order.ts';
export * from './safetensors/index.ts';
export type { SampleOptions } from './sample.ts';
export * from './tokenizers/index.ts';
