// How networks that were published take their pictures, besides [-1, 1] and CLIP's.
import type { Normalisation } from '../../data/index.ts';

/** torchvision's and timm's classifiers. */
export const imageNetNormalisation: Normalisation = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

const half = 128 / 255;
/** (x - 128) / 128 of values from 0 to 255: TensorFlow Lite's networks of 8 bits, and clean-fid's Inception. */
export const bytesNormalisation: Normalisation = { mean: [half, half, half], std: [half, half, half] };
