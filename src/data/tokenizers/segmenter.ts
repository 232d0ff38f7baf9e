// Text to ids by a tokenizer.json: Hugging Face's tokenizers do the work, this file what may be wrong with theirs.
import { Tokenizer } from '@huggingface/tokenizers';
import * as E from 'fp-ts/lib/Either.js';
import { z } from 'zod';
import { type DataError, describeCause, tokenizerError } from '../error.ts';

/** What a text is cut into, before any model's start, end and padding. */
export interface Segmenter {
  readonly ids: (text: string) => readonly number[];
  readonly idOf: (token: string) => number | undefined;
  /** One more than the largest id. */
  readonly vocabulary: number;
  /** The kind of its vocabulary, as tokenizer.json names it. */
  readonly kind: string;
}

const kinds = ['BPE', 'Unigram', 'WordPiece'] as const;
const entries = z.union([z.record(z.string(), z.int()), z.array(z.tuple([z.string(), z.number()]))]);
const tokenizerJson = z.looseObject({
  // Old files leave the type out of a BPE.
  model: z.looseObject({ type: z.enum(kinds).default('BPE'), vocab: entries }),
  normalizer: z.unknown().default(null),
  pre_tokenizer: z.unknown().default(null),
  post_processor: z.unknown().default(null),
  decoder: z.unknown().default(null),
  added_tokens: z.array(z.looseObject({ id: z.int(), content: z.string() })).default([]),
});
/** What tokenizer.json holds, in as far as it is looked at. */
export type TokenizerJson = z.input<typeof tokenizerJson>;

/** A segmenter from what tokenizer.json holds; `path` is for errors. Left: it is no tokenizer.json, or has a part that is not known. */
export const segmenterFrom = (path: string, json: unknown): E.Either<DataError, Segmenter> => {
  const read = tokenizerJson.safeParse(json);
  if (!read.success) {
    const { path: at, message } = read.error.issues[0]!;
    return E.left(tokenizerError(path, `this is no tokenizer.json: ${at.join('.') || 'the whole'}: ${message}`));
  }
  const { model, added_tokens } = read.data;
  return E.tryCatch(
    () => {
      const tokenizer = new Tokenizer(read.data, {});
      const largest = [...tokenizer.get_vocab().values(), ...added_tokens.map(({ id }) => id)].reduce(
        (most, id) => Math.max(most, id),
        -1,
      );
      return {
        ids: (text) => tokenizer.encode(text, { add_special_tokens: false }).ids,
        idOf: (token) => tokenizer.token_to_id(token),
        vocabulary: largest + 1,
        kind: model.type,
      };
    },
    (cause) => tokenizerError(path, `it cannot be used (${describeCause(cause)})`),
  );
};
