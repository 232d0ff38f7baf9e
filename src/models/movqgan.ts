// SBER-MoVQGAN (ai-forever/MoVQGAN, after C. Zheng and others, "MoVQ", 2022): VQGAN with a decoder whose norms see the quantised latent.

import { pipe } from 'fp-ts/lib/function.js';
import { giveParts, partsSpec } from '../dsl/compose.ts';
import { lastOfDecoder } from './autoencoders/last.ts';
import { movqDecoder } from './autoencoders/movq-decoder.ts';
import { convolutionalTokenizer } from './convolutional-tokenizer.ts';
import { embedByTable, quantiseByTable } from './quantisers/vector-quantiser.ts';
import { decoderOf, faultsOf, sizesOf, type VqganConfig, vqganMini, vqganParts } from './vqgan.ts';

const parts = (c: VqganConfig, remat = false) =>
  vqganParts(c, movqDecoder(decoderOf(c), c.quantiser.dim, remat), remat);

/** MoVQGAN, with VQGAN's configuration and face: pictures [B, 3, H, W] to codes [B, h, w, 1] and back. */
export const movqgan = convolutionalTokenizer({
  spec: (c: VqganConfig) => partsSpec(parts(c)),
  sizes: sizesOf,
  faults: faultsOf,
  latent: (c, params, remat) => {
    const m = giveParts(parts(c, remat), params);
    return (images) => pipe(images, m.encoder, m.quant_conv);
  },
  quantise: (c, params) => quantiseByTable(c.quantiser, params.quantize.embedding.weight),
  embed: (_, params) => embedByTable(params.quantize.embedding.weight),
  paint: (c, params, remat) => {
    const m = giveParts(parts(c, remat), params);
    return (z) => m.decoder({ x: m.post_quant_conv(z), latent: z });
  },
  ...lastOfDecoder,
  ignored: /^(loss|ema_[a-z_]+)\./,
});

const sized = (ch: number, num_res_blocks: number): VqganConfig => ({
  autoencoder: {
    ch,
    ch_mult: [1, 2, 2, 4],
    num_res_blocks,
    attn_resolutions: [32],
    resolution: 256,
    in_channels: 3,
    out_ch: 3,
    z_channels: 4,
    groups: 32,
  },
  quantiser: { codes: 16384, dim: 4 },
});

/** The published models, by their numbers of parameters: 256-pixel pictures to 32 x 32 codes. */
export const movqganConfigs = { '67M': sized(128, 2), '102M': sized(128, 4), '270M': sized(256, 2) } as const;

/** The same at 64 pixels, with 8 x 8 codes: it trains without a graphics card. */
export const movqganMini: VqganConfig = {
  autoencoder: { ...vqganMini.autoencoder, z_channels: 4 },
  quantiser: { codes: 512, dim: 4 },
};
