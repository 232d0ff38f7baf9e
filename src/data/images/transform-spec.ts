// Transforms as data, which threads can be sent and configurations can hold.
import { match } from 'ts-pattern';
import {
  type CentreCropOptions,
  centreCrop,
  type RandomCropOptions,
  randomResizedCrop,
  squash,
  type Transform,
} from './transforms.ts';

/** A transform by name, with its options; `size` is the side of the square, in pixels. */
export type TransformSpec =
  | { readonly kind: 'squash'; readonly size: number }
  | ({ readonly kind: 'centre-crop'; readonly size: number } & CentreCropOptions)
  | ({ readonly kind: 'random-resized-crop'; readonly size: number } & RandomCropOptions);

/** What a specification stands for: `squash`, `centreCrop`, `randomResizedCrop`. */
export const transformOf = (spec: TransformSpec): Transform =>
  match(spec)
    .with({ kind: 'squash' }, ({ size }) => squash(size))
    .with({ kind: 'centre-crop' }, ({ size, ...options }) => centreCrop(size, options))
    .with({ kind: 'random-resized-crop' }, ({ size, ...options }) => randomResizedCrop(size, options))
    .exhaustive();
