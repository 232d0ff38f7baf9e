// Tokenizers of texts. Read in this order: segmenter (tokenizer.json), sentencepiece and clip-vocabulary (files that become one),
// text-tokenizer (what a text tower takes), open.
export { openSegmenter, openTextTokenizer } from './open.ts';
export type { Segmenter } from './segmenter.ts';
export { canonicalise, clipTokenizer, siglipTokenizer, type TextTokenizer } from './text-tokenizer.ts';
