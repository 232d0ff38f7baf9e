// OpenAI's bpe_simple_vocab_16e6.txt, which CLIP and open_clip ship, as the tokenizer.json that says the same.
import * as E from 'fp-ts/lib/Either.js';
import { type DataError, tokenizerError } from '../error.ts';
import type { TokenizerJson } from './segmenter.ts';

/** Merges that CLIP takes of the file: 49,152 - 256 - 2. */
const MERGES = 48894;

export const clipStart = '<|startoftext|>';
export const clipEnd = '<|endoftext|>';

/** The 256 bytes as printable characters, in CLIP's order: GPT-2's `bytes_to_unicode`. */
const byteCharacters = (): readonly string[] => {
  const range = (from: string, to: string) =>
    Array.from({ length: to.codePointAt(0)! - from.codePointAt(0)! + 1 }, (_, i) => i + from.codePointAt(0)!);
  const printable = [...range('!', '~'), ...range('¡', '¬'), ...range('®', 'ÿ')];
  const others = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => !printable.includes(byte));
  return [
    ...printable.map((byte) => String.fromCodePoint(byte)),
    ...others.map((_, n) => String.fromCodePoint(256 + n)),
  ];
};

const pattern = "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";

/** From the text of the file: a version line, then a merge a line. */
export const clipVocabularyJson = (path: string, text: string): E.Either<DataError, TokenizerJson> => {
  const merges = text
    .trimEnd()
    .split('\n')
    .slice(1, 1 + MERGES)
    .map((line) => line.trim().split(/\s+/));
  const wrong = merges.findIndex((pair) => pair.length !== 2);
  if (merges.length < MERGES || wrong !== -1)
    return E.left(
      tokenizerError(
        path,
        `this is not CLIP's list of ${MERGES} merges: ${wrong === -1 ? `it has ${merges.length}` : `line ${wrong + 2} is no pair`}`,
      ),
    );
  const bytes = byteCharacters();
  const tokens = [
    ...bytes,
    ...bytes.map((c) => `${c}</w>`),
    ...merges.map((pair) => pair.join('')),
    clipStart,
    clipEnd,
  ];
  return E.right({
    added_tokens: [clipStart, clipEnd].map((content) => ({
      id: tokens.indexOf(content),
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: true,
      special: true,
    })),
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'NFC' },
        { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' },
        { type: 'Lowercase' },
      ],
    },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: pattern }, behavior: 'Removed', invert: true },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true },
      ],
    },
    model: {
      type: 'BPE',
      unk_token: clipEnd,
      continuing_subword_prefix: '',
      end_of_word_suffix: '</w>',
      fuse_unk: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: merges.map((pair) => pair.join(' ')),
    },
  });
};
