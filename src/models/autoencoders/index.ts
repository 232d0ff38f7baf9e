// Convolutional autoencoders and their halves. Read in this order: pixel-decoder and pixel-encoder (VQGAN), movq-decoder,
// magvit2-autoencoder, then taef2; faults checks their sizes.
export { type Magvit2AutoencoderConfig, magvit2Decoder, magvit2Encoder } from './magvit2-autoencoder.ts';
export { movqDecoder } from './movq-decoder.ts';
export { type PixelDecoderConfig, pixelDecoder } from './pixel-decoder.ts';
export { type PixelEncoderConfig, pixelEncoder } from './pixel-encoder.ts';
export { taef2Decoder, taef2Encoder } from './taef2.ts';
