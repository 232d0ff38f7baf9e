// Open-MAGVIT2 (Z. Luo and others, 2024, after L. Yu and others, "MAGVIT-v2", 2024): lookup-free codes of a latent with a sign a channel.

import { giveParts, partsSpec } from '../dsl/compose.ts';
import { autoencoderFaults } from './autoencoders/faults.ts';
import { lastOfDecoder } from './autoencoders/last.ts';
import { type Magvit2AutoencoderConfig, magvit2Decoder, magvit2Encoder } from './autoencoders/magvit2-autoencoder.ts';
import { convolutionalTokenizer } from './convolutional-tokenizer.ts';
import { embedSigns, type LookupFreeConfig, quantiseBySign } from './quantisers/lookup-free-quantiser.ts';

export interface Magvit2Config {
  /** Both halves. */
  readonly autoencoder: Magvit2AutoencoderConfig;
  /** Side of the pictures. */
  readonly resolution: number;
  /** `dim` is the latent's channels. */
  readonly quantiser: LookupFreeConfig;
}

const parts = ({ autoencoder }: Magvit2Config, remat = false) => ({
  encoder: magvit2Encoder(autoencoder, remat),
  decoder: magvit2Decoder(autoencoder, remat),
});

/**
 * Open-MAGVIT2 as functions of its configuration and parameters: pictures [B, 3, H, W] to codes [B, h, w, 1] below 2^dim, and back.
 * `spec` throws DslError with every fault of a configuration.
 */
export const magvit2 = convolutionalTokenizer({
  spec: (c: Magvit2Config) => partsSpec(parts(c)),
  sizes: ({ autoencoder, resolution, quantiser }) => ({
    size: resolution,
    grid: resolution / 2 ** (autoencoder.ch_mult.length - 1),
    codes: 2 ** quantiser.dim,
  }),
  faults: ({ autoencoder, resolution, quantiser }) => [
    ...autoencoderFaults(autoencoder, resolution),
    ...(autoencoder.z_channels === quantiser.dim
      ? []
      : [`autoencoder.z_channels is ${autoencoder.z_channels}, but codes have ${quantiser.dim} signs (quantiser.dim)`]),
    ...(quantiser.dim <= 30 ? [] : [`quantiser.dim ${quantiser.dim}: codes of more than 30 signs are no i32`]),
  ],
  latent: (c, params, remat) => giveParts(parts(c, remat), params).encoder,
  quantise: (c) => quantiseBySign(c.quantiser),
  embed: (c) => embedSigns(c.quantiser.dim),
  paint: (c, params, remat) => giveParts(parts(c, remat), params).decoder,
  ...lastOfDecoder,
  ignored: /^(loss|model_ema)\./,
});

/** Open-MAGVIT2's ImageNet model 256_L: 256-pixel pictures to 16 x 16 codes of 2^18. 115.1M parameters. */
export const magvit2ImageNet256: Magvit2Config = {
  autoencoder: {
    ch: 128,
    ch_mult: [1, 1, 2, 2, 4],
    num_res_blocks: 4,
    in_channels: 3,
    out_ch: 3,
    z_channels: 18,
    groups: 32,
  },
  resolution: 256,
  quantiser: { dim: 18 },
};

/** The same at 64 pixels, with 8 x 8 codes of 2^10: it trains without a graphics card. */
export const magvit2Mini: Magvit2Config = {
  autoencoder: {
    ch: 16,
    ch_mult: [1, 1, 2, 4],
    num_res_blocks: 1,
    in_channels: 3,
    out_ch: 3,
    z_channels: 10,
    groups: 8,
  },
  resolution: 64,
  quantiser: { dim: 10 },
};
