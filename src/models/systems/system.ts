// A model of any family as its training sees it.
import type { Key } from '../../dsl/ops/random.ts';
import type { ParamsOf } from '../../dsl/param.ts';
import type { Rank1, Rank2, Rank4 } from '../../dsl/shape.ts';
import type { ScalarTensor, Tensor } from '../../dsl/tensor.ts';
import type { TrainingOptions } from '../dualtoken.ts';
import type { VisionConfig } from '../hf-config.ts';
import type { Ids } from '../nn/embedding.ts';
import type { Tokens } from '../nn/linear.ts';
import type { Codes } from '../quantisers/residual-quantiser.ts';
import type { Images } from '../siglip.ts';
import type { Restarts } from './restarts.ts';

/** What one training forward gives; null where a family or a variant has no such thing. */
export interface SystemOutputs<Q> {
  readonly image: Images;
  readonly reconstruction: Images | null;
  readonly deep: Tokens | null;
  readonly deepQuantised: Tokens | null;
  readonly pooled: Tensor<Rank2> | null;
  readonly commitment: ScalarTensor;
  readonly entropy: ScalarTensor | null;
  /** By vocabulary. */
  readonly codes: Readonly<Record<string, Codes | null>>;
  readonly state: ParamsOf<Q>;
}

/** Parameters `P` that gradients train, a state `Q` that learns beside them, and of it the tables `T` that use takes; all are specs. */
export interface TokenizerSystem<P, Q, T> {
  readonly spec: P;
  readonly stateSpec: Q;
  readonly tablesSpec: T;
  /** Side of the pictures, positions on a side, and codes of a position. */
  readonly size: number;
  readonly grid: number;
  readonly depth: number;
  /** Codes of each vocabulary; pictures are painted from 'pixel' where there is one. */
  readonly vocabularies: Readonly<Record<string, number>>;
  /** Of vocabularies whose dead codes are replaced; others, as those that gradients train, have none. */
  readonly restarts: Readonly<Record<string, Restarts | null>>;
  readonly forward: (
    params: ParamsOf<P>,
    state: ParamsOf<Q>,
    key: Key,
    options: TrainingOptions,
  ) => (images: Images) => SystemOutputs<Q>;
  readonly tables: (state: ParamsOf<Q>) => ParamsOf<T>;
  /** Pictures [B, 3, H, W] in [-1, 1] to codes [B, h, w, depth] of each vocabulary. */
  readonly encode: (params: ParamsOf<P>, tables: ParamsOf<T>) => (images: Images) => Readonly<Record<string, Codes>>;
  /** Pixel codes to pictures; null without a decoder. */
  readonly decode: ((params: ParamsOf<P>, tables: ParamsOf<T>) => (codes: Codes) => Images) | null;
  /** The weights of the decoder's last convolution, by whose gradient the adversarial loss is weighed; null without a decoder. */
  readonly last: (params: ParamsOf<P>) => Tensor<Rank4> | null;
  readonly withLast: (params: ParamsOf<P>, last: Tensor<Rank4>) => ParamsOf<P>;
  /** The tower whose frozen start the semantic losses are held against, and its semantic tap. */
  readonly tower: { readonly vision: VisionConfig; readonly semantic: number } | null;
  /** A text tower of its own, trained with it: embeddings [B, width], and scale and bias of similarities. Null: a frozen one is taken. */
  readonly text: ((params: ParamsOf<P>) => (ids: Ids) => TextOutputs) | null;
  /** Pooled features to a teacher's; null: it has no teacher. */
  readonly teacher: ((params: ParamsOf<P>) => (pooled: Tensor<Rank2>) => Tensor<Rank2>) | null;
}

export interface TextOutputs {
  readonly embeddings: Tensor<Rank2>;
  readonly scale: Tensor<Rank1>;
  readonly bias: Tensor<Rank1>;
}
