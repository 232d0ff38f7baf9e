// Convolutional autoencoders and their halves: pixel-decoder, then taef2.
export { type PixelDecoderConfig, pixelDecoder } from './pixel-decoder.ts';
export { taef2Decoder, taef2Encoder } from './taef2.ts';
