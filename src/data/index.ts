// Everything that reads and writes a user's files. Read in this order: error, atomic; images/ and safetensors/ have tables of
// contents of their own; then folder (with glob), dataset, cifar10, random, order, batches.
export { type WriteChunk, writeAtomic, writeAtomicFrom } from './atomic.ts';
export { type Batch, type BatchOptions, batches } from './batches.ts';
export { cifar10Classes, openCifar10 } from './cifar10.ts';
export { cached, filesDataset, folderDataset, type ImageDataset } from './dataset.ts';
export {
  type DataError,
  type DatasetError,
  type FileError,
  type ImageError,
  renderDataError,
  type SafetensorsError,
} from './error.ts';
export { expandPaths, isImagePath, listImages } from './folder.ts';
export * from './images/index.ts';
export { permutation, sampleOrder } from './order.ts';
export * from './safetensors/index.ts';
