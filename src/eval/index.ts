// Measures, on host arrays in f64: image-quality (PSNR, SSIM), frechet (on symmetric), codes.
export { type CodeUsage, codeUsage } from './codes.ts';
export { type FeatureStatistics, featureStatistics, frechetDistance } from './frechet.ts';
export { type ImageShape, psnr, ssim, unitRange } from './image-quality.ts';
