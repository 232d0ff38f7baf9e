// Pictures: files to tensors and back. Read in this order: picture, decode, resample and resample-planes (on filters),
// transforms, transform-spec, normalise; then what people look at: grid, code-map, encode.
export { type CodeGrid, codeColour, codeMap } from './code-map.ts';
export { decodeImage, readImage } from './decode.ts';
export { encodePng, writePng } from './encode.ts';
export type { Filter } from './filters.ts';
export { type GridOptions, grid, sideBySide } from './grid.ts';
export {
  clipNormalisation,
  fromChannels,
  type Normalisation,
  stackChannels,
  toChannels,
  toUnit,
  writeChannels,
} from './normalise.ts';
export { type Box, blank, crop, type Picture } from './picture.ts';
export { enlarge, resize } from './resample.ts';
export { type TransformSpec, transformOf } from './transform-spec.ts';
export {
  type CentreCropOptions,
  centreCrop,
  type RandomCropOptions,
  randomResizedCrop,
  squash,
  type Transform,
} from './transforms.ts';
