// Data sets of pictures as people have them. Read in this order: dataset and cached; image-folder (with captions), cifar; concat, then
// webdataset (with tar, webdataset-samples) and parquet (with parquet-columns, parquet-file, recent); last spec and open, which opens any
// of them.

export { cached } from './cached.ts';
export { type CaptionTable, captionLines, readCaptions } from './captions.ts';
export { type CifarSplit, cifar10Classes, openCifar10, openCifar100 } from './cifar.ts';
export { concatDatasets } from './concat.ts';
export { type Block, captionsAt, type EncodedImage, type ImageDataset } from './dataset.ts';
export { type FolderOptions, filesDataset, folderDataset } from './image-folder.ts';
export { type OpenDefaults, openDataset } from './open.ts';
export { openParquet } from './parquet.ts';
export type { ParquetOptions } from './parquet-columns.ts';
export { type DatasetForm, type DatasetSpec, datasetSpecSchema, formExample } from './spec.ts';
export { openWebDataset } from './webdataset.ts';
export type { WebDatasetOptions } from './webdataset-samples.ts';
