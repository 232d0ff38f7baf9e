// Quantisers: features to codes of a codebook, and back. Read in this order: vector-quantiser, residual-quantiser,
// lookup-free-quantiser; usage measures their codes.
export * from './lookup-free-quantiser.ts';
export * from './residual-quantiser.ts';
export * from './vector-quantiser.ts';
