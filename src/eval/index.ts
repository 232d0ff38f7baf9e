// Measures, on host arrays in f64. Read vectors and ranks (equal scores) first; then of pictures: image-quality (PSNR, SSIM), frechet
// (on symmetric); of codes: codes; of embeddings: zero-shot, retrieval; of features: knn, linear-probe (on logistic, lbfgs). models/ are what
// is measured, evaluations/ the measuring of them.
export { addCodes, type CodeCounts, type CodeUsage, codeUsage, noCodes, usageOf } from './codes.ts';
export * from './evaluations/index.ts';
export {
  addFeatures,
  type FeatureStatistics,
  type FeatureSums,
  featureStatistics,
  frechetDistance,
  noFeatures,
  statisticsOf,
} from './frechet.ts';
export { type ImageShape, psnr, ssim, unitRange } from './image-quality.ts';
export { type KnnOptions, knn } from './knn.ts';
export { holdOut, linearProbe, type Probe, type ProbeOptions } from './linear-probe.ts';
export * from './models/index.ts';
export { type Accuracy, noAccuracy, shares } from './ranks.ts';
export { type Recall, type Retrieval, type RetrievalScores, retrieval } from './retrieval.ts';
export type { LabelledVectors, Vectors } from './vectors.ts';
export { addZeroShot, classVector, zeroShot } from './zero-shot.ts';
