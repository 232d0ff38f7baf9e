// SentencePiece's own file (spiece.model, a protocol buffer) as the tokenizer.json that says the same. Field numbers:
// sentencepiece_model.proto of google/sentencepiece.
import * as E from 'fp-ts/lib/Either.js';
import { PbfReader } from 'pbf';
import { type DataError, describeCause, tokenizerError } from '../error.ts';
import type { TokenizerJson } from './segmenter.ts';

interface Piece {
  readonly text: string;
  readonly score: number;
  readonly type: number;
}
interface Proto {
  readonly pieces: Piece[];
  /** 1 unigram, 2 BPE, 3 word, 4 char. */
  model: number;
  byteFallback: boolean;
  spaceAsSuffix: boolean;
  normalisation: string;
  dummyPrefix: boolean;
  removeExtraSpaces: boolean;
}

const models = ['', 'unigram', 'BPE', 'word', 'char'];
const [UNKNOWN, USER_DEFINED] = [2, 4];

const readPiece = (reader: PbfReader): Piece =>
  reader.readMessage<{ text: string; score: number; type: number }>(
    (tag, piece, r) => {
      if (tag === 1) piece.text = r.readString();
      else if (tag === 2) piece.score = r.readFloat();
      else if (tag === 3) piece.type = r.readVarint();
    },
    { text: '', score: 0, type: 1 },
  );

const readProto = (bytes: Uint8Array): Proto =>
  new PbfReader(bytes).readFields<Proto>(
    (tag, proto, reader) => {
      if (tag === 1) proto.pieces.push(readPiece(reader));
      else if (tag === 2)
        reader.readMessage((inner, to, r) => {
          if (inner === 3) to.model = r.readVarint();
          else if (inner === 24) to.spaceAsSuffix = r.readBoolean();
          else if (inner === 35) to.byteFallback = r.readBoolean();
        }, proto);
      else if (tag === 3)
        reader.readMessage((inner, to, r) => {
          if (inner === 1) to.normalisation = r.readString();
          else if (inner === 3) to.dummyPrefix = r.readBoolean();
          else if (inner === 4) to.removeExtraSpaces = r.readBoolean();
        }, proto);
    },
    {
      pieces: [],
      model: 1,
      byteFallback: false,
      spaceAsSuffix: false,
      normalisation: 'identity',
      dummyPrefix: true,
      removeExtraSpaces: true,
    },
  );

/** Why a model cannot be read as a tokenizer.json; null where it can. */
const refusal = (proto: Proto): string | null => {
  if (proto.pieces.length === 0) return 'it holds no pieces: this is no SentencePiece model';
  if (proto.model !== 1)
    return `its pieces are of kind ${models[proto.model] ?? proto.model}; of .model files only unigram ones are read: give the model's tokenizer.json`;
  if (proto.byteFallback || proto.spaceAsSuffix || proto.pieces.some(({ type }) => type === USER_DEFINED))
    return "it uses byte fallback, spaces as suffixes or pieces of the user's own, which are not read from .model files: give the model's tokenizer.json";
  if (!['identity', 'nmt_nfkc'].includes(proto.normalisation))
    return `it normalises by '${proto.normalisation}'; of .model files identity and nmt_nfkc are read: give the model's tokenizer.json`;
  if (!proto.pieces.some(({ type }) => type === UNKNOWN)) return 'it has no piece for what is unknown';
  return null;
};

/**
 * The tokenizer.json of a unigram SentencePiece model. nmt_nfkc is Unicode's NFKC with its spaces and controls, as the tokenizers
 * library has it; it may differ from the file's own map in characters that were added to Unicode since.
 */
export const sentencePieceJson = (path: string, bytes: Uint8Array): E.Either<DataError, TokenizerJson> => {
  let proto: Proto;
  try {
    proto = readProto(bytes);
  } catch (cause) {
    return E.left(tokenizerError(path, `this is no SentencePiece model (${describeCause(cause)})`));
  }
  const why = refusal(proto);
  if (why !== null) return E.left(tokenizerError(path, why));
  const spaces = [
    { type: 'Strip', strip_left: true, strip_right: true },
    { type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' },
  ];
  return E.right({
    normalizer: {
      type: 'Sequence',
      normalizers: [
        ...(proto.normalisation === 'nmt_nfkc' ? [{ type: 'Precompiled' }] : []),
        ...(proto.removeExtraSpaces ? spaces : []),
      ],
    },
    pre_tokenizer: {
      type: 'Metaspace',
      replacement: '▁',
      prepend_scheme: proto.dummyPrefix ? 'always' : 'never',
      split: false,
    },
    model: {
      type: 'Unigram',
      unk_id: proto.pieces.findIndex(({ type }) => type === UNKNOWN),
      vocab: proto.pieces.map(({ text, score }): [string, number] => [text, score]),
    },
  });
};
