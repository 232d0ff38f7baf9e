// Convolutional autoencoders and their halves. Read in this order: pixel-decoder and pixel-encoder (VQGAN), movq-decoder,
// magvit2-autoencoder, then taef2; faults checks their sizes, last is the convolution by whose gradient losses are weighed.
export {
  type Magvit2AutoencoderConfig,
  type Magvit2DecoderSpec,
  type Magvit2EncoderSpec,
  magvit2Decoder,
  magvit2Encoder,
} from './magvit2-autoencoder.ts';
export { type MovqDecoderSpec, movqDecoder } from './movq-decoder.ts';
export { type DecoderSpec, type PixelDecoderConfig, type PixelDecoderSpec, pixelDecoder } from './pixel-decoder.ts';
export { type PixelEncoderConfig, type PixelEncoderSpec, pixelEncoder } from './pixel-encoder.ts';
export { taef2Decoder, taef2Encoder } from './taef2.ts';
