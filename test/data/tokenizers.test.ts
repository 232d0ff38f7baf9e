// Tokenizers of texts: ids of the reference implementations, the form that text towers take, and files that cannot be read.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { z } from 'zod';
import { canonicalise, openSegmenter, openTextTokenizer } from '../../src/data/tokenizers/index.ts';
import { failure, inFolder, run } from '../support/files.ts';
import { sharedDir } from '../support/shared.ts';
import { skip } from '../support/skip.ts';
import { clipJson, gemmaJson, pieces, sentencePieceModel, siglipJson } from '../support/tokenizer-files.ts';

const test = suite('tokenizers');

const goldenSchema = z.record(z.string(), z.array(z.object({ text: z.string(), ids: z.array(z.int()) })));

test('ids equal those of sentencepiece and of OpenAI', async () => {
  const shared = sharedDir();
  if (shared === null) return skip('the golden ids need ../shared/data/tokenizers');
  const folder = join(shared, 'data', 'tokenizers');
  const golden = goldenSchema.parse(JSON.parse(await readFile(join(folder, 'golden.json'), 'utf8')));
  const { segmenter } = await run(openSegmenter(join(folder, 'seqio_test_sentencepiece.model')));
  assert.is(segmenter.vocabulary, 26);
  for (const { text, ids } of golden.seqio_test!) assert.equal(segmenter.ids(text), ids, text);
  const clip = await run(openTextTokenizer(join(folder, 'bpe_simple_vocab_16e6.txt.gz'), 'clip', 77));
  assert.is(clip.vocabulary, 49408);
  for (const { text, ids } of golden.clip!) {
    const padding = Array.from({ length: 77 - ids.length - 1 }, () => 49407);
    assert.equal([...clip.encode(text)], [49406, ...ids, ...padding], text);
  }
  assert.match(
    await failure(openSegmenter(join(folder, 'siglip_test_vocab.spm'))),
    /siglip_test_vocab.spm: its pieces are of kind word; of .model files only unigram ones are read: give the model's tokenizer.json/,
  );
});

/** The file under that name in a folder of its own. */
const withFile = <A>(name: string, content: unknown, use: (path: string, folder: string) => Promise<A>): Promise<A> =>
  inFolder(async (folder) => {
    const bytes = content instanceof Uint8Array || typeof content === 'string' ? content : JSON.stringify(content);
    await writeFile(join(folder, name), bytes);
    return use(join(folder, name), folder);
  });

test('SigLIP: canonical, ended and padded by </s>, cut to its length, from both forms of its file', async () => {
  assert.is(canonicalise(' A  photo,\tof — (a) CAT!\n'), 'a photo of — a cat');
  assert.is(canonicalise('!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~'), '');
  const idOf = (text: string) => pieces.findIndex((piece) => piece.text === text);
  const sentence = ['▁a', '▁photo', '▁of', '▁a', '▁cat'].map(idOf);
  for (const [name, content] of [
    ['spiece.model', sentencePieceModel({})],
    ['tokenizer.json', siglipJson],
  ] as const)
    await withFile(name, content, async (_, folder) => {
      const { encode, vocabulary, length } = await run(openTextTokenizer(folder, 'siglip', 8));
      assert.equal([vocabulary, length], [14, 8]);
      assert.equal([...encode(' A photo, of a  CAT.')], [...sentence, 1, 1, 1], name);
      assert.equal([...encode('')], Array(8).fill(1));
      // Ⓒat is NFKC for "cat" with an upper C; what has no piece is one unknown.
      assert.equal([...encode('ⓒats ωω')], [idOf('▁cats'), idOf('▁'), 2, 1, 1, 1, 1, 1]);
      assert.equal([...encode('a photo of a cat of a photo')], [...sentence, idOf('▁of'), idOf('▁a'), 1]);
    });
  await withFile('spiece.model', sentencePieceModel({ dummyPrefix: false }), async (path) => {
    const { segmenter } = await run(openSegmenter(path));
    assert.equal(segmenter.ids('cat a'), ['c', 'a', 't', '▁a'].map(idOf));
  });
});

test('SigLIP 2: lower case with its punctuation, ended by <eos>, padded by <pad>, without <bos>', async () => {
  await withFile('tokenizer.json', gemmaJson, async (path) => {
    const { encode } = await run(openTextTokenizer(path, 'siglip', 6));
    assert.equal([...encode('CAT cat.')], [10, 11, 8, 1, 0, 0]);
  });
});

test('CLIP: start, end, padded by the end, cut to its length', async () => {
  await withFile('tokenizer.json', clipJson, async (path) => {
    const { encode } = await run(openTextTokenizer(path, 'clip', 6));
    assert.equal([...encode('Cat, a c')], [8, 7, 4, 3, 9, 9]);
    assert.equal([...encode('cat cat cat cat cat cat')], [8, 7, 7, 7, 7, 9]);
    assert.equal([...encode('')], [8, 9, 9, 9, 9, 9]);
  });
});

test('what cannot be read from a .model file is said', async () => {
  const refused = (settings: Parameters<typeof sentencePieceModel>[0], reason: RegExp) =>
    withFile('spiece.model', sentencePieceModel(settings), async (path) => {
      const message = await failure(openSegmenter(path));
      assert.match(message, reason);
      assert.ok(message.startsWith(`tokenizer ${path}: `));
    });
  await refused({ kind: 2 }, /of kind BPE; .* tokenizer.json/);
  await refused({ byteFallback: true }, /byte fallback/);
  await refused({ pieces: [...pieces, { text: 'x', score: 0, type: 4 }] }, /pieces of the user's own/);
  await refused({ normalisation: 'nmt_nfkc_cf' }, /normalises by 'nmt_nfkc_cf'/);
  await refused({ pieces: pieces.filter(({ type }) => type !== 2) }, /no piece for what is unknown/);
  await refused({ pieces: [] }, /holds no pieces/);
  const whole = sentencePieceModel({});
  await withFile('spiece.model', whole.slice(0, 20), async (path) => {
    assert.match(await failure(openSegmenter(path)), /no SentencePiece model|no piece for what is unknown/);
  });
  await withFile('spiece.model', 'version https://git-lfs.github.com/spec/v1\noid sha256:1\n', async (path) => {
    assert.match(await failure(openSegmenter(path)), /no SentencePiece model/);
  });
});

test('other files and folders that are no tokenizers, and vocabularies that do not fit the family', async () => {
  await inFolder(async (folder) => {
    assert.match(await failure(openSegmenter(folder)), /holds no tokenizer.json, spiece.model or bpe_simple_vocab/);
    assert.match(await failure(openSegmenter(join(folder, 'none.json'))), /cannot read .*none.json: no such file/);
  });
  const refused = (name: string, content: unknown, reason: RegExp) =>
    withFile(name, content, async (path) => assert.match(await failure(openSegmenter(path)), reason));
  await refused('tokenizer.json', '{', /this is not JSON/);
  await refused('tokenizer.json', { model: { type: 'Odd', vocab: {} } }, /this is no tokenizer.json: model.type/);
  await refused('tokenizer.json', { version: '1.0' }, /this is no tokenizer.json: model/);
  await refused('tokenizer.json', { ...clipJson, normalizer: { type: 'Odd' } }, /cannot be used \(.*Odd/);
  await refused('bpe_simple_vocab_16e6.txt.gz', gzipSync('#version: 0.2\na b\n'), /list of 48894 merges: it has 1/);
  await refused('bpe_simple_vocab_16e6.txt.gz', gzipSync('a b\n').subarray(0, 18), /cannot be decompressed/);
  await refused('words.txt', 'a b', /the name is of no form that is read/);
  for (const [json, family] of [
    [clipJson, 'clip'],
    [siglipJson, 'siglip'],
  ] as const)
    await withFile('tokenizer.json', json, async (path) => {
      const [told, named] = [undefined, family].map((f) => openTextTokenizer(path, f, 8));
      const [a, b] = [await run(told!), await run(named!)];
      assert.equal(a.encode('a cat'), b.encode('a cat'));
      assert.is(
        a.end,
        b.encode('').find((id) => id === a.end),
      );
    });
  await withFile('tokenizer.json', clipJson, async (path) => {
    assert.match(await failure(openTextTokenizer(path, 'siglip', 64)), /its vocabulary has no <eos>/);
  });
  await withFile('tokenizer.json', siglipJson, async (path) => {
    assert.match(await failure(openTextTokenizer(path, 'clip', 77)), /its vocabulary has no <\|startoftext\|>/);
  });
});

test.run();
