// Layers that models are composed of; each has the parameter names of published checkpoints. Of tokens: linear, embedding, norm,
// activation, mlp, attention (on heads), transformer, patch-embedding, pooling-head, similarity. Of maps: channels, conv2d,
// downsample, upsample, resnet-block, spatial-attention, batch-norm, and norms that a latent conditions, spatial-norm and
// adaptive-group-norm. Of either: remat.

export { type ActivationName, activations } from './activation.ts';
export { type AdaptiveGroupNormSpec, adaptiveGroupNorm } from './adaptive-group-norm.ts';
export { type AttentionSpec, selfAttention } from './attention.ts';
export { type BatchNormed, batchNorm, follow as followStatistics, type Running, runningSpec } from './batch-norm.ts';
export { type Conv2dOptions, type Conv2dSpec, conv2d as conv2dLayer, type Maps } from './conv2d.ts';
export { type EmbeddingSpec, embedding as embeddingLayer, type Ids, positions } from './embedding.ts';
export { type LinearOptions, type LinearSpec, linear as linearLayer, type Tokens } from './linear.ts';
export { type MlpSpec, mlp } from './mlp.ts';
export { groupNorm as groupNormLayer, layerNorm as layerNormLayer, type NormSpec } from './norm.ts';
export { type PoolingHeadSpec, poolingHead } from './pooling-head.ts';
export {
  type ConditionedBlockSpec,
  conditionedBlock,
  type ResnetBlockOptions,
  type ResnetBlockSpec,
  resnetBlock,
} from './resnet-block.ts';
export {
  type ConditionedAttentionSpec,
  conditionedAttention,
  type SpatialAttentionSpec,
  spatialAttention,
} from './spatial-attention.ts';
export { type Conditioned, type SpatialNormSpec, spatialNorm } from './spatial-norm.ts';
export { type BlockSpec, block, blocks, type TowerConfig as TowerSizes } from './transformer.ts';
