// Whether a tokenizer makes the ids that a text tower takes.
import type { TextTokenizer } from '../data/index.ts';
import { AT_LARGEST_ID } from '../models/clip.ts';

/**
 * What is wrong with a tokenizer for a tower that embeds `vocabulary` ids, and reads a text's feature at the id `end`, where it reads it
 * at one. 'vocabulary': it has more ids; 'end': it ends texts with another; null: nothing.
 */
export const textTokenizerFault = (
  tokenizer: Pick<TextTokenizer, 'vocabulary' | 'end'>,
  { vocabulary, end = tokenizer.end }: { readonly vocabulary: number; readonly end?: number | undefined },
): 'vocabulary' | 'end' | null => {
  if (tokenizer.vocabulary > vocabulary) return 'vocabulary';
  return end === AT_LARGEST_ID || end === tokenizer.end ? null : 'end';
};
