// The language's public surface. Read in this order: tensor and shape; core/, the nodes below them; ops/ and fused/, with
// reference/, which says what they mean; transform/; then param (on tree), init, layer, compose and ravel; last show and print.

export { compose, type GivenOf, giveParts, partsSpec, type SpecOf, seq, times } from './compose.ts';
export type { DType, FloatType, HostArray, HostArrays } from './core/dtype.ts';
export { DslError } from './core/error.ts';
export { withPath } from './core/provenance.ts';
export type { Node } from './core/types.ts';
export {
  biasInit,
  constantInit,
  initParams,
  kaimingUniformInit,
  lecunNormalInit,
  normalInit,
  onesInit,
  truncatedNormalInit,
  uniformInit,
  xavierUniformInit,
  zerosInit,
} from './init.ts';
export { type Layer, layer, residual } from './layer.ts';

export * from './ops/index.ts';
export {
  countParams,
  type InitEnv,
  type Initializer,
  isParamSpec,
  namedSpecs,
  type ParamSpec,
  type ParamsOf,
  type Tag,
  weight,
} from './param.ts';
export { printTensor } from './print.ts';
export { type Flats, type RavelLayout, ravel, ravelLayout, unravel } from './ravel.ts';
export type { Dim, Rank0, Rank1, Rank2, Rank3, Rank4, Rank5, Rank6, Shape } from './shape.ts';
export { show, showDot, showMermaid } from './show.ts';
export { type AnyTensor, anySize, dim, isTensor, ofDType, type ScalarTensor, shaped, type Tensor } from './tensor.ts';
export {
  checkpoint,
  customVjp,
  grad,
  scan,
  stopGradient,
  type ValueAndGrad,
  valueAndGrad,
  valueAndGradAux,
  vjp,
  vmap,
} from './transform/index.ts';
export { flatten as flattenTree, foldTree, mapTree, partitionTree, paths, zipTrees } from './tree.ts';
