// The language's public surface. Read in this order: tensor and shape; core/, the nodes below them; ops/ and fused/, with
// reference/, which says what they mean; transform/; then param (on tree), init, layer, compose and ravel; last show and print.

export { compose, type GivenOf, giveParts, partsSpec, type SpecOf, seq, times } from './compose.ts';
export type { DType, FloatType, HostArray, HostArrays } from './core/dtype.ts';
export { DslError, type Operand } from './core/error.ts';
export type {
  Attr,
  Attrs,
  Binary,
  ConvSpec,
  EinSpec,
  InputRole,
  MapFn,
  Mark,
  Op,
  Quantile,
  ReduceFn,
  Unary,
  View,
} from './core/op.ts';
export { withPath } from './core/provenance.ts';
export type { Node, Result } from './core/types.ts';
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
  type NamedSpec,
  namedSpecs,
  type ParamSpec,
  type ParamsOf,
  type Tag,
  weight,
} from './param.ts';
export { type PrintOptions, printTensor } from './print.ts';
export {
  type Flats,
  type RavelEntry,
  type RavelGroup,
  type RavelLayout,
  ravel,
  ravelLayout,
  unravel,
} from './ravel.ts';
export type {
  At,
  AxisKey,
  Before,
  Dim,
  DropAxis,
  Expanded,
  Expect,
  HasAxis,
  InsertAxis,
  Named,
  NeedsAxes,
  NeedsAxis,
  NoMoreThan,
  Permuted,
  Rank0,
  Rank1,
  Rank2,
  Rank3,
  Rank4,
  Rank5,
  Rank6,
  Repeated,
  Same,
  SameShape,
  SetAxis,
  Shape,
  ShapeOf,
  ShowDim,
  ShowShape,
  SizeOf,
  Sizes,
  Swapped,
  Unknown,
} from './shape.ts';
export { show, showDot, showMermaid } from './show.ts';
export { type AnyTensor, anySize, dim, isTensor, ofDType, type ScalarTensor, shaped, type Tensor } from './tensor.ts';
export {
  checkpoint,
  customVjp,
  grad,
  type Lead,
  type Sliced as WithoutFirst,
  type Stacked,
  scan,
  stopGradient,
  type ValueAndGrad,
  valueAndGrad,
  valueAndGradAux,
  vjp,
  vmap,
} from './transform/index.ts';
export {
  type Flat,
  flatten as flattenTree,
  foldTree,
  type Mapped,
  mapTree,
  partitionTree,
  paths,
  zipTrees,
} from './tree.ts';
