// Small tokenizers as files: a SentencePiece model with any settings, and tokenizer.json of SigLIP's, SigLIP 2's and CLIP's kind.
import { PbfWriter } from 'pbf';

export interface ModelSettings {
  readonly pieces?: readonly { readonly text: string; readonly score: number; readonly type?: number }[];
  readonly kind?: number;
  readonly byteFallback?: boolean;
  readonly normalisation?: string;
  readonly dummyPrefix?: boolean;
}

const words = ['▁a', '▁photo', '▁of', '▁cat', '▁dog', '▁', 'c', 'a', 't', 's', '▁cats'];

/** Pieces as SigLIP has them: `</s>` is 1, `<unk>` is 2. */
export const pieces: NonNullable<ModelSettings['pieces']> = [
  { text: '<pad>', score: 0, type: 3 },
  { text: '</s>', score: 0, type: 3 },
  { text: '<unk>', score: 0, type: 2 },
  ...words.map((text, n) => ({ text, score: -2 - n / 8 })),
];

export const sentencePieceModel = ({
  pieces: all = pieces,
  kind = 1,
  byteFallback = false,
  normalisation = 'nmt_nfkc',
  dummyPrefix = true,
}: ModelSettings): Uint8Array => {
  const writer = new PbfWriter();
  for (const piece of all)
    writer.writeMessage(
      1,
      (p: typeof piece, w: PbfWriter) => {
        w.writeStringField(1, p.text);
        w.writeFloatField(2, p.score);
        w.writeVarintField(3, p.type ?? 1);
      },
      piece,
    );
  writer.writeMessage(
    2,
    (_: null, w: PbfWriter) => {
      w.writeVarintField(3, kind);
      w.writeBooleanField(35, byteFallback);
    },
    null,
  );
  writer.writeMessage(
    3,
    (_: null, w: PbfWriter) => {
      w.writeStringField(1, normalisation);
      w.writeBooleanField(3, dummyPrefix);
    },
    null,
  );
  return writer.finish();
};

const special = (id: number, content: string) => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
});

/** SigLIP's: unigram pieces, 14 ids. */
export const siglipJson = {
  added_tokens: [special(1, '</s>'), special(2, '<unk>')],
  normalizer: { type: 'Precompiled' },
  pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: false },
  model: { type: 'Unigram', unk_id: 2, vocab: pieces.map(({ text, score }) => [text, score]) },
};

/** Gemma's: byte pairs with the space as a letter, and bytes for what is unknown. */
export const gemmaJson = {
  added_tokens: ['<pad>', '<eos>', '<bos>', '<unk>'].map((content, id) => special(id, content)),
  normalizer: { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
  model: {
    type: 'BPE',
    unk_token: '<unk>',
    fuse_unk: true,
    byte_fallback: true,
    vocab: Object.fromEntries(
      ['<pad>', '<eos>', '<bos>', '<unk>', 'a', 'c', 't', '▁', '.', 'at', 'cat', '▁cat'].map((token, id) => [
        token,
        id,
      ]),
    ),
    merges: ['a t', 'c at', '▁ cat'],
  },
};

/** CLIP's: byte pairs of words that end in `</w>`. */
export const clipJson = {
  added_tokens: [special(8, '<|startoftext|>'), special(9, '<|endoftext|>')],
  normalizer: { type: 'Lowercase' },
  pre_tokenizer: {
    type: 'Sequence',
    pretokenizers: [
      { type: 'Split', pattern: { Regex: '\\p{L}+' }, behavior: 'Removed', invert: true },
      { type: 'ByteLevel', add_prefix_space: false },
    ],
  },
  model: {
    type: 'BPE',
    unk_token: '<|endoftext|>',
    end_of_word_suffix: '</w>',
    vocab: Object.fromEntries(
      ['c', 'a', 't', 'c</w>', 'a</w>', 't</w>', 'at</w>', 'cat</w>', '<|startoftext|>', '<|endoftext|>'].map(
        (token, id) => [token, id],
      ),
    ),
    merges: ['a t</w>', 'c at</w>'],
  },
};
