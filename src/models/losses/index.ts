// Losses, each a value with a name and a weight.
export * from './adversarial.ts';
export * from './tokenizer.ts';
