// What of a tokenizer can be compared by its meaning: pooled features before and after the codes, and the codes themselves, as the mean
// over positions of what they stand for.
import { pipe } from 'fp-ts/lib/function.js';
import { match } from 'ts-pattern';
import { giveParts } from '../../dsl/compose.ts';
import { mean } from '../../dsl/ops/reduce.ts';
import type { ParamsOf } from '../../dsl/param.ts';
import type { Rank2, Rank4 } from '../../dsl/shape.ts';
import type { Tensor } from '../../dsl/tensor.ts';
import { clipParts } from '../../models/clip.ts';
import type { ConvolutionalTokenizer } from '../../models/convolutional-tokenizer.ts';
import { type DualTokenConfig, type DualTokenParams, encode, present, type Tables } from '../../models/dualtoken.ts';
import { dualTokenParts } from '../../models/dualtoken-parts.ts';
import type { ClipConfig } from '../../models/hf-config.ts';
import { magvit2 } from '../../models/magvit2.ts';
import { movqgan } from '../../models/movqgan.ts';
import { hiddenStates } from '../../models/nn/transformer.ts';
import { type Features, type Quantised, quantise } from '../../models/quantisers/residual-quantiser.ts';
import { type ResidualMovqganConfig, residualMovqganLatent } from '../../models/residual-movqgan.ts';
import { embedPatches, type Images } from '../../models/siglip.ts';
import {
  clipSystem,
  convolutionalSystem,
  dualTokenSystem,
  residualMovqganSystem,
  type TokenizerSystem,
  towerSystem,
} from '../../models/systems/index.ts';
import { givenTower, type TowerConfig } from '../../models/tower.ts';
import type { VariantModel } from '../../models/variants/index.ts';
import { vqgan } from '../../models/vqgan.ts';

type Named = Readonly<Record<string, () => Tensor<Rank2>>>;

/** Features by name, an expression for each, and how wide they are. */
export interface TokenizerFeatures<P, T> {
  readonly widths: Readonly<Record<string, number>>;
  readonly of: (params: ParamsOf<P>, tables: ParamsOf<T>) => (images: Images) => Named;
  /** The one that is compared with texts. */
  readonly embedding: string | null;
}

/** [B, h, w, dim] -> [B, dim]. */
const overPositions = (z: Features): Tensor<Rank2> => mean(z, [1, 2]);

/** The whole tower without quantisation: what the pooled feature was before codes stood between. */
const continuous =
  (c: DualTokenConfig, params: DualTokenParams) =>
  (images: Images): Tensor<Rank2> => {
    const vision = giveParts(dualTokenParts(c), params).siglip_model.vision_model;
    const last = pipe(images, embedPatches(vision), hiddenStates(vision.encoder.layers)).at(-1)!;
    return pipe(last, present(vision.post_layernorm, 'pooled feature'), present(vision.head, 'pooled feature'));
  };

const dualTokenFeatures = (c: DualTokenConfig) => {
  const [semantic, apart] = [c.taps.semantic !== null, c.taps.semantic !== null && c.vocabularies !== 1];
  const { hidden_size: width } = c.vision;
  return {
    widths: {
      ...(semantic ? { pooled: width, 'pooled-continuous': width } : {}),
      ...(c.taps.pixel === null ? {} : { 'pixel-codes': c.quantiser.dim }),
      ...(apart ? { 'semantic-codes': c.quantiser.dim } : {}),
    },
    embedding: semantic ? 'pooled' : null,
    of:
      (params: DualTokenParams, tables: Tables) =>
      (images: Images): Named => {
        const made = encode(c, params, tables)(images);
        return {
          pooled: () => present(made.pooled, 'pooled feature'),
          'pooled-continuous': () => continuous(c, params)(images),
          'pixel-codes': () => overPositions(present(made.pixel, 'pixel codes').z),
          'semantic-codes': () => overPositions(present(made.semantic, 'semantic codes').z),
        };
      },
  };
};

const convolutionalFeatures = <C extends { readonly quantiser: { readonly dim: number } }, P, Q extends Quantised>(
  tokenizer: ConvolutionalTokenizer<C, P, Q>,
  config: C,
) => ({
  widths: { 'pixel-codes': config.quantiser.dim },
  embedding: null,
  of:
    (params: ParamsOf<P>) =>
    (images: Images): Named => ({
      'pixel-codes': () => overPositions(tokenizer.encode(config, params)(images).pixel.z),
    }),
});

const residualMovqganFeatures = (c: ResidualMovqganConfig) => {
  const system = residualMovqganSystem(c);
  return {
    widths: { 'pixel-codes': c.quantiser.dim },
    embedding: null,
    of:
      (params: ParamsOf<typeof system.spec>, { quantizer }: ParamsOf<typeof system.tablesSpec>) =>
      (images: Images): Named => ({
        'pixel-codes': () =>
          overPositions(pipe(images, residualMovqganLatent(c, params), quantise(c.quantiser, quantizer.codebook)).z),
      }),
  };
};

const towerFeatures = (c: TowerConfig) => ({
  widths: { pooled: c.vision.hidden_size },
  embedding: 'pooled',
  of:
    (params: Parameters<typeof givenTower>[1]) =>
    (images: Tensor<Rank4>): Named => ({
      pooled: () => givenTower(c, params).siglip_model.vision_model(images).pooled,
    }),
});

const clipFeatures = (c: ClipConfig) => {
  const { spec } = clipSystem(c);
  return {
    widths: { pooled: c.vision_config.hidden_size, embedding: c.projection_dim },
    embedding: 'embedding',
    of:
      (params: ParamsOf<typeof spec>) =>
      (images: Images): Named => {
        const m = giveParts(clipParts(c), params);
        const { pooled } = m.vision_model(images);
        return { pooled: () => pooled, embedding: () => m.visual_projection(pooled) };
      },
  };
};

/** `f` of a model's system and features, whatever its types. */
export const withFeatures = <R>(
  model: VariantModel,
  f: <P, Q, T>(system: TokenizerSystem<P, Q, T>, features: TokenizerFeatures<P, T>) => R,
): R =>
  match(model)
    .with({ family: 'dualtoken' }, ({ config }) => f(dualTokenSystem(config), dualTokenFeatures(config)))
    .with({ family: 'vqgan' }, ({ config: c }) => f(convolutionalSystem(vqgan, c), convolutionalFeatures(vqgan, c)))
    .with({ family: 'movqgan' }, ({ config: c }) =>
      f(convolutionalSystem(movqgan, c), convolutionalFeatures(movqgan, c)),
    )
    .with({ family: 'magvit2' }, ({ config: c }) =>
      f(convolutionalSystem(magvit2, c), convolutionalFeatures(magvit2, c)),
    )
    .with({ family: 'residual-movqgan' }, ({ config }) =>
      f(residualMovqganSystem(config), residualMovqganFeatures(config)),
    )
    .with({ family: 'tower' }, ({ config }) => f(towerSystem(config), towerFeatures(config)))
    .with({ family: 'clip' }, ({ config }) => f(clipSystem(config), clipFeatures(config)))
    .exhaustive();
