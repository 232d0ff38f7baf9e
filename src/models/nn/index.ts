// Layers that models are composed of; each has the parameter names of published checkpoints. Of tokens: linear, embedding, norm,
// activation, mlp, attention (on heads), transformer, patch-embedding, pooling-head, similarity. Of maps: channels, conv2d,
// downsample, upsample, resnet-block, spatial-attention, batch-norm, and norms that a latent conditions, spatial-norm and
// adaptive-group-norm. Of either: remat.

export { type ActivationName, activations } from './activation.ts';
export { adaptiveGroupNorm } from './adaptive-group-norm.ts';
export { type AttentionSpec, selfAttention } from './attention.ts';
export { type BatchNormed, batchNorm, follow as followStatistics, type Running, runningSpec } from './batch-norm.ts';
export { type Conv2dSpec, conv2d as conv2dLayer, type Maps } from './conv2d.ts';
export { embedding as embeddingLayer, type Ids, positions } from './embedding.ts';
export { linear as linearLayer, type Tokens } from './linear.ts';
export { mlp } from './mlp.ts';
export { groupNorm as groupNormLayer, layerNorm as layerNormLayer } from './norm.ts';
export { poolingHead } from './pooling-head.ts';
export { conditionedBlock, resnetBlock } from './resnet-block.ts';
export { conditionedAttention, spatialAttention } from './spatial-attention.ts';
export { type Conditioned, spatialNorm } from './spatial-norm.ts';
export { block, blocks } from './transformer.ts';
