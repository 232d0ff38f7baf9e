// The pixel half of the naive combination (section 5.2): MoVQGAN, a level deeper than published, with a residual quantiser.
import { pipe } from 'fp-ts/lib/function.js';
import { giveParts, partsSpec } from '../dsl/compose.ts';
import type { ParamsOf } from '../dsl/param.ts';
import { movqDecoder } from './autoencoders/movq-decoder.ts';
import { channelsFirst, channelsLast } from './nn/channels.ts';
import type { Features, QuantiserConfig } from './quantisers/residual-quantiser.ts';
import type { Images } from './siglip.ts';
import { decoderOf, type VqganConfig, vqganParts } from './vqgan.ts';

export interface ResidualMovqganConfig {
  readonly autoencoder: VqganConfig['autoencoder'];
  readonly quantiser: QuantiserConfig;
}

const parts = ({ autoencoder, quantiser: { dim, codes } }: ResidualMovqganConfig, remat: boolean) => {
  const whole = { autoencoder, quantiser: { dim, codes } };
  // The residual quantiser's table is no parameter: it learns by running means.
  const { quantize, ...rest } = vqganParts(whole, movqDecoder(decoderOf(whole), dim, remat), remat);
  return rest;
};

export const residualMovqganSpec = (c: ResidualMovqganConfig) => partsSpec(parts(c, false));
export type ResidualMovqganParams = ParamsOf<ReturnType<typeof residualMovqganSpec>>;

/** Pictures [B, 3, H, W] in [-1, 1] to what is quantised [B, h, w, dim]. */
export const residualMovqganLatent =
  (c: ResidualMovqganConfig, params: ResidualMovqganParams, remat = false) =>
  (images: Images): Features => {
    const m = giveParts(parts(c, remat), params);
    return pipe(images, m.encoder, m.quant_conv, channelsLast);
  };

/** Quantised features to pictures, about [-1, 1]. */
export const residualMovqganPaint =
  (c: ResidualMovqganConfig, params: ResidualMovqganParams, remat = false) =>
  (z: Features): Images => {
    const m = giveParts(parts(c, remat), params);
    const latent = channelsFirst(z);
    return m.decoder({ x: m.post_quant_conv(latent), latent });
  };
