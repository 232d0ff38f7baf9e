// The fused calls, one idea a file: named operations that templates compile whole and references define. Read softmax first (a
// row operation, on rows), then attention (with attention-scores, attention-grad, attention-vmap); norms are layer-norm,
// rms-norm, l2-normalise, group-norm and batch-norm; losses cross-entropy and linear-cross-entropy; nearest-code quantises.
export { type AttentionOptions, attention } from './attention.ts';
export { type AttentionBackward, attentionGrad } from './attention-grad.ts';
export { type BatchNormed, batchNormInfer, batchNormTrain } from './batch-norm.ts';
export { crossEntropy, meanCrossEntropy } from './cross-entropy.ts';
export { groupNorm } from './group-norm.ts';
export { l2Normalise } from './l2-normalise.ts';
export { layerNorm, layerNormGrad } from './layer-norm.ts';
export { linearCrossEntropy } from './linear-cross-entropy.ts';
export { nearestCode } from './nearest-code.ts';
export { rmsNorm, rmsNormGrad } from './rms-norm.ts';
export { logSoftmax, logSumExp, softmax, softmaxGrad } from './softmax.ts';
