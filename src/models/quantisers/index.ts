// Quantisers: features to codes of a codebook, and back.
export * from './residual-quantiser.ts';
