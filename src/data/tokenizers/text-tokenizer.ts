// Texts to the padded ids that SigLIP's and CLIP's text towers take, as their own code makes them.
import * as E from 'fp-ts/lib/Either.js';
import { type DataError, tokenizerError } from '../error.ts';
import { clipEnd, clipStart } from './clip-vocabulary.ts';
import type { Segmenter } from './segmenter.ts';

export interface TextTokenizer {
  /** Ids of every text. */
  readonly length: number;
  /** One more than the largest id. */
  readonly vocabulary: number;
  /** The id that ends a text. */
  readonly end: number;
  /** A text that is too long is cut; its last id is the end's all the same. */
  readonly encode: (text: string) => Int32Array<ArrayBuffer>;
}

/** Lower case, without ASCII punctuation, every white space one space, none at the ends: SigLIP's `canonicalize_text`. */
export const canonicalise = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[!-/:-@[-`{-~]/g, '')
    .replace(/\s+/g, ' ')
    .trim();

const quotes: Readonly<Record<string, string>> = {
  '‘': "'",
  '’': "'",
  '‛': "'",
  '“': '"',
  '”': '"',
  '„': '"',
  '‟': '"',
};

/**
 * What OpenAI's code does to a text before it is cut (ftfy's curly quotes, wide and joined letters; entities of HTML are left as they
 * are, and so is text that was decoded wrongly).
 */
const plain = (text: string): string =>
  text
    .replace(/[‘’‛“”„‟]/g, (c) => quotes[c]!)
    .replace(/[\u3000\uff01-\uffef\ufb00-\ufb06]/g, (c) => c.normalize('NFKC'))
    .trim();

interface Form {
  readonly start: readonly string[];
  readonly end: string;
  readonly pad: string;
  readonly prepare: (text: string) => string;
}

const padded = (
  path: string,
  { ids, idOf, vocabulary }: Segmenter,
  length: number,
  { start, end, pad, prepare }: Form,
): E.Either<DataError, TextTokenizer> => {
  const missing = [...start, end, pad].find((token) => idOf(token) === undefined);
  if (missing !== undefined) return E.left(tokenizerError(path, `its vocabulary has no ${missing}`));
  const [before, after, rest] = [start.map((token) => idOf(token)!), idOf(end)!, idOf(pad)!];
  return E.right({
    length,
    vocabulary,
    end: after,
    encode: (text) => {
      const out = new Int32Array(length).fill(rest);
      const kept = [...before, ...ids(prepare(text))].slice(0, length - 1);
      out.set([...kept, after]);
      return out;
    },
  });
};

/**
 * SigLIP's: canonicalised, ended and padded by `</s>`. Of SigLIP 2, whose vocabulary is Gemma's byte pairs: lower case, ended by
 * `<eos>`, padded by `<pad>`, with its punctuation (big_vision, README_siglip2). Left: the vocabulary lacks one of these.
 */
export const siglipTokenizer = (path: string, segmenter: Segmenter, length = 64): E.Either<DataError, TextTokenizer> =>
  segmenter.kind === 'Unigram'
    ? padded(path, segmenter, length, { start: [], end: '</s>', pad: '</s>', prepare: canonicalise })
    : padded(path, segmenter, length, { start: [], end: '<eos>', pad: '<pad>', prepare: (text) => text.toLowerCase() });

/** CLIP's: between `<|startoftext|>` and `<|endoftext|>`, padded by the latter; its vocabulary lowers the case. Left: it lacks one of these. */
export const clipTokenizer = (path: string, segmenter: Segmenter, length = 77): E.Either<DataError, TextTokenizer> =>
  padded(path, segmenter, length, { start: [clipStart], end: clipEnd, pad: clipEnd, prepare: plain });

/** Whose rules a vocabulary is for: CLIP's where it has CLIP's start of a text, else SigLIP's. */
export const rulesFor = ({ idOf }: Segmenter): 'siglip' | 'clip' => (idOf(clipStart) === undefined ? 'siglip' : 'clip');
