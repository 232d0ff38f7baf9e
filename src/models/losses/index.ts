// Losses, each a value with a name and a weight.
export * from './tokenizer.ts';
