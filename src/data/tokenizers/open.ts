// The tokenizer that lies beside a model: tokenizer.json, or else the file that its authors published.
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type DataError, fileError, tokenizerError } from '../error.ts';
import { gunzipped } from '../gzip.ts';
import { parseJson } from '../json.ts';
import { decodeText } from '../text.ts';
import { clipVocabularyJson } from './clip-vocabulary.ts';
import { type Segmenter, segmenterFrom } from './segmenter.ts';
import { sentencePieceJson } from './sentencepiece.ts';
import { clipTokenizer, rulesFor, siglipTokenizer, type TextTokenizer } from './text-tokenizer.ts';

/** Far more than any vocabulary: 128 MiB. */
const LARGEST = 2 ** 27;

/** Names that are looked for in a folder, the first that is there; and how each is read. */
const forms: readonly {
  readonly name: RegExp;
  readonly read: (path: string, bytes: Uint8Array) => E.Either<DataError, unknown>;
}[] = [
  { name: /^.*\.json$/i, read: (path, bytes) => parseJson(path, decodeText(bytes)) },
  { name: /^.*\.(model|spm)$/i, read: sentencePieceJson },
  { name: /^bpe_simple_vocab.*\.txt(\.gz)?$/i, read: (path, bytes) => clipVocabularyJson(path, decodeText(bytes)) },
];
const inFolders = [
  /^tokenizer\.json$/,
  /^(spiece|sentencepiece|tokenizer)\.model$/,
  /^bpe_simple_vocab.*\.txt(\.gz)?$/,
];

const located = (path: string): TE.TaskEither<DataError, string> =>
  pipe(
    TE.tryCatch(async () => ((await stat(path)).isDirectory() ? readdir(path) : null), fileError('read', path)),
    TE.chainEitherK((names) => {
      if (names === null) return E.right(path);
      const found = inFolders.flatMap((form) => names.filter((name) => form.test(name)).sort())[0];
      return found === undefined
        ? E.left(
            tokenizerError(
              path,
              'the folder holds no tokenizer.json, spiece.model or bpe_simple_vocab_16e6.txt.gz: copy one beside the model',
            ),
          )
        : E.right(join(path, found));
    }),
  );

/** Reads tokenizer.json, a unigram SentencePiece .model (.spm), or OpenAI's bpe_simple_vocab_16e6.txt (.gz); of a folder the first that is there. */
export const openSegmenter = (
  path: string,
): TE.TaskEither<DataError, { readonly path: string; readonly segmenter: Segmenter }> =>
  pipe(
    located(path),
    TE.chain((file) =>
      pipe(
        TE.tryCatch(() => readFile(file), fileError('read', file)),
        TE.chain((bytes) => gunzipped(file, bytes, LARGEST)),
        TE.chainEitherK((bytes) => {
          const form = forms.find(({ name }) => name.test(basename(file)));
          return form === undefined
            ? E.left(
                tokenizerError(
                  file,
                  'the name is of no form that is read: .json, .model, .spm, bpe_simple_vocab….txt.gz',
                ),
              )
            : form.read(file, bytes);
        }),
        TE.chainEitherK((json) => segmenterFrom(file, json)),
        TE.map((segmenter) => ({ path: file, segmenter })),
      ),
    ),
  );

/**
 * The tokenizer of a text tower, from a file or the folder of its model; `length` is the tower's. Whose rules make ids is told by the
 * vocabulary where `family` is undefined. See `openSegmenter`.
 */
export const openTextTokenizer = (
  path: string,
  family: 'siglip' | 'clip' | undefined,
  length: number,
): TE.TaskEither<DataError, TextTokenizer> =>
  pipe(
    openSegmenter(path),
    TE.chainEitherK((found) =>
      ((family ?? rulesFor(found.segmenter)) === 'siglip' ? siglipTokenizer : clipTokenizer)(
        found.path,
        found.segmenter,
        length,
      ),
    ),
  );
