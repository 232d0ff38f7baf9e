// Quantisers: features to codes of a codebook, and back.
export * from './lookup-free-quantiser.ts';
export * from './residual-quantiser.ts';
export * from './vector-quantiser.ts';
