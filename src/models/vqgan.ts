// VQGAN (P. Esser and others, "Taming transformers for high-resolution image synthesis", 2021) under taming-transformers' names.

import { pipe } from 'fp-ts/lib/function.js';
import { giveParts, partsSpec } from '../dsl/compose.ts';
import { autoencoderFaults } from './autoencoders/faults.ts';
import { lastOfDecoder } from './autoencoders/last.ts';
import { type PixelDecoderConfig, pixelDecoder } from './autoencoders/pixel-decoder.ts';
import { type PixelEncoderConfig, pixelEncoder } from './autoencoders/pixel-encoder.ts';
import { convolutionalTokenizer, type TokenizerSizes } from './convolutional-tokenizer.ts';
import { conv2d } from './nn/conv2d.ts';
import {
  embedByTable,
  embeddingSpec,
  quantiseByTable,
  type VectorQuantiserConfig,
} from './quantisers/vector-quantiser.ts';

export interface VqganConfig {
  /** Both halves; `resolution` is the side of the pictures. The decoder has a block more in each level. */
  readonly autoencoder: PixelEncoderConfig & Pick<PixelDecoderConfig, 'out_ch'>;
  readonly quantiser: VectorQuantiserConfig;
}

/** What lies around the decoder, for whichever decoder it is. */
export const vqganParts = <Decoder>({ autoencoder, quantiser }: VqganConfig, decoder: Decoder, remat: boolean) => ({
  encoder: pixelEncoder(autoencoder, remat),
  quant_conv: conv2d(autoencoder.z_channels, quantiser.dim, 1),
  quantize: embeddingSpec(quantiser),
  post_quant_conv: conv2d(quantiser.dim, autoencoder.z_channels, 1),
  decoder,
});
/** The decoder's configuration: its input is the encoder's latent. */
export const decoderOf = ({ autoencoder }: VqganConfig): PixelDecoderConfig => ({
  ...autoencoder,
  in_channels: autoencoder.z_channels,
});

export const faultsOf = ({ autoencoder }: VqganConfig): readonly string[] =>
  autoencoderFaults(autoencoder, autoencoder.resolution);

export const sizesOf = ({ autoencoder, quantiser }: VqganConfig): TokenizerSizes => ({
  size: autoencoder.resolution,
  grid: autoencoder.resolution / 2 ** (autoencoder.ch_mult.length - 1),
  codes: quantiser.codes,
});

const parts = (c: VqganConfig, remat = false) => vqganParts(c, pixelDecoder(decoderOf(c), remat), remat);

/**
 * VQGAN as functions of its configuration and parameters: pictures [B, 3, H, W] to codes [B, h, w, 1] and back. `spec` throws DslError
 * with every fault of a configuration.
 */
export const vqgan = convolutionalTokenizer({
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
    return (z) => pipe(z, m.post_quant_conv, m.decoder);
  },
  ...lastOfDecoder,
  ignored: /^loss\./,
});

/** taming-transformers' ImageNet models: 256-pixel pictures to 16 x 16 codes, 16,384 or 1,024 of them. 76.1M and 72.1M parameters. */
export const vqganImageNetF16 = (codes: 1024 | 16384 = 16384): VqganConfig => ({
  autoencoder: {
    ch: 128,
    ch_mult: [1, 1, 2, 2, 4],
    num_res_blocks: 2,
    attn_resolutions: [16],
    resolution: 256,
    in_channels: 3,
    out_ch: 3,
    z_channels: 256,
    groups: 32,
  },
  quantiser: { codes, dim: 256 },
});

/** The same at 64 pixels, with 8 x 8 codes: it trains without a graphics card. */
export const vqganMini: VqganConfig = {
  autoencoder: {
    ch: 16,
    ch_mult: [1, 1, 2, 4],
    num_res_blocks: 1,
    attn_resolutions: [8],
    resolution: 64,
    in_channels: 3,
    out_ch: 3,
    z_channels: 32,
    groups: 8,
  },
  quantiser: { codes: 512, dim: 32 },
};
