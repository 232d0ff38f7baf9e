// Data sets of pictures as people have them. Read in this order: dataset, image-folder (with captions), cifar, concat; then webdataset
// (with tar, webdataset-samples).
export { type CaptionTable, captionLines, readCaptions } from './captions.ts';
export { type CifarSplit, cifar10Classes, openCifar10, openCifar100 } from './cifar.ts';
export {
  type Block,
  cached,
  captionsAt,
  type EncodedImage,
  type ImageDataset,
} from './dataset.ts';
export { type FolderOptions, filesDataset, folderDataset } from './image-folder.ts';
export { openWebDataset } from './webdataset.ts';
export type { WebDatasetOptions } from './webdataset-samples.ts';
