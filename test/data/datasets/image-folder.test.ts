// Folders of pictures: classes from subfolders, captions from every form that is read.
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { captionsAt, folderDataset, type ImageDataset, readCaptions } from '../../../src/data/datasets/index.ts';
import { failure, inFolder, run } from '../../support/files.ts';
import { projectDir, sharedDir } from '../../support/shared.ts';
import { skip } from '../../support/skip.ts';

const test = suite('folders of pictures');

const photo = join(projectDir, 'assets', 'photos', 'chelsea.png');

/** Runs `use` in a folder that holds one photo under each of the names. */
const withPhotos = (names: readonly string[], use: (folder: string) => Promise<void>): Promise<void> =>
  inFolder(async (folder) => {
    for (const name of names) {
      await mkdir(join(folder, name, '..'), { recursive: true });
      await copyFile(photo, join(folder, name));
    }
    await use(folder);
  });

const captions = (dataset: ImageDataset) =>
  Promise.all(Array.from({ length: dataset.size }, (_, i) => run(captionsAt(dataset, i))));

test('folders right below are classes, numbered by name, at any depth', () =>
  withPhotos(['n01/a.png', 'n01-b/deep/b.png', 'n01-b/c.png', 'a/d.png'], async (folder) => {
    const dataset = await run(folderDataset(folder, { labels: true }));
    assert.equal(dataset.classes, ['a', 'n01', 'n01-b']);
    const labels = Array.from({ length: 4 }, (_, i) => [dataset.nameOf(i), dataset.labelOf(i)]);
    assert.equal(labels, [
      ['a/d.png', 0],
      ['n01-b/c.png', 2],
      ['n01-b/deep/b.png', 2],
      ['n01/a.png', 1],
    ]);
    assert.is((await run(folderDataset(folder))).labelOf(0), null);
    await copyFile(photo, join(folder, 'bare.png'));
    assert.match(await failure(folderDataset(folder, { labels: true })), /bare.png lies in no class’s folder: put it/);
  }));

test('text files beside pictures are captions, one a line', () =>
  withPhotos(['a.png', 'x/b.png', 'c.png'], async (folder) => {
    assert.equal(await captions(await run(folderDataset(folder))), [[], [], []]);
    await writeFile(join(folder, 'a.txt'), '\ufeffone\r\n\n two \n');
    await writeFile(join(folder, 'x', 'b.txt'), '');
    const dataset = await run(folderDataset(folder));
    assert.equal(await captions(dataset), [['one', 'two'], [], []]);
    assert.is((await run(folderDataset(folder, { captions: null }))).captionsOf, undefined);
  }));

const forms: Readonly<Record<string, readonly [file: string, content: string]>> = {
  'Flickr8k’s CSV': [
    'captions.txt',
    'image,caption\na.png,A cat .\na.png,"A ""tabby"", seated"\nx/b.png,B\nother.jpg,no\n',
  ],
  'Flickr8k’s tokens': ['captions.txt', 'a.png#0\tA cat .\na.png#1\tA "tabby", seated\nb.png#0\tB\n'],
  COCO: [
    'captions.json',
    JSON.stringify({
      images: [
        { id: 7, file_name: 'a.png' },
        { id: 9, file_name: 'b.png' },
      ],
      annotations: [
        { image_id: 7, caption: 'A cat .' },
        { image_id: 9, caption: 'B' },
        { image_id: 7, caption: 'A "tabby", seated\n' },
      ],
    }),
  ],
  'a list': [
    'captions.json',
    JSON.stringify([
      { file: 'a.png', width: 1, captions: ['A cat .', 'A "tabby", seated'] },
      { file_name: 'x/b.png', text: 'B' },
    ]),
  ],
  'an object': ['captions.json', JSON.stringify({ 'a.png': ['A cat .', 'A "tabby", seated'], 'b.png': 'B' })],
};

for (const [name, [file, content]] of Object.entries(forms))
  test(`captions as ${name}`, () =>
    withPhotos(['a.png', 'x/b.png'], async (folder) => {
      const expected = [['A cat .', 'A "tabby", seated'], ['B']];
      for (const mark of ['', '\ufeff']) {
        await writeFile(join(folder, file), `${mark}${content}`);
        assert.equal(await captions(await run(folderDataset(folder))), expected);
      }
      assert.equal(await captions(await run(folderDataset(folder, { captions: join(folder, file) }))), expected);
    }));

test('Karpathy’s file of captions: all pictures, or those of one split alone', () =>
  withPhotos(['val/a.png', 'val/b.png', 'train/c.png', 'd.png'], async (folder) => {
    const images = [
      {
        filename: 'a.png',
        filepath: 'val2014',
        split: 'test',
        sentences: [{ raw: 'A cat .', tokens: ['a'] }, { raw: 'a' }],
      },
      { filename: 'b.png', filepath: 'val2014', split: 'restval', sentences: [{ raw: 'B' }] },
      { filename: 'c.png', split: 'train', sentences: [{ raw: 'C\n' }] },
      { filename: 'other.png', split: 'val', sentences: [{ raw: 'no' }] },
    ];
    const file = join(folder, 'dataset_coco.json');
    await writeFile(file, JSON.stringify({ images, dataset: 'coco' }));
    const open = (split?: string) => folderDataset(folder, { captions: file, labels: split !== undefined, split });
    const all = await run(open());
    assert.equal([all.size, await captions(all)], [4, [[], ['C'], ['A cat .', 'a'], ['B']]]);
    const test = await run(open('test'));
    assert.equal([test.size, test.nameOf(0), test.labelOf(0), test.classes], [1, 'val/a.png', 0, ['val']]);
    assert.equal(await captions(test), [['A cat .', 'a']]);
    assert.match(
      await failure(open('dev')),
      /dataset_coco.json: it has no split 'dev'; there are restval, test, train, val/,
    );
    assert.match(await failure(open('val')), /names none of the 4 pictures in .* for the split 'val'/);
    assert.match(await failure(folderDataset(folder, { split: 'test' })), /name the file of captions that tells/);
    await writeFile(file, JSON.stringify({ 'a.png': 'A' }));
    assert.match(await failure(open('test')), /it tells no splits, as Karpathy’s .* does: leave out 'test'/);
  }));

test('files of captions that say nothing are errors', () =>
  withPhotos(['a.png'], async (folder) => {
    const text = join(folder, 'captions.txt');
    const json = join(folder, 'captions.json');
    const cases: readonly (readonly [string, string, RegExp])[] = [
      [text, 'a.png,one\nno comma here\n', /captions.txt: line 2 is neither "name.jpg,caption" nor/],
      [text, '\n', /captions.txt: it holds no captions/],
      [
        text,
        'b.png,one\n',
        /captions.txt: it names none of the 1 pictures in .*: choose another with captions, or null/,
      ],
      [json, '{"a.png": 3}', /captions.json: the captions are none of COCO’s annotations/],
      [json, '{', /captions.json: this is not JSON/],
    ];
    for (const [path, content, pattern] of cases) {
      await writeFile(path, content);
      assert.match(await failure(folderDataset(folder, { captions: path })), pattern);
    }
    assert.match(await failure(readCaptions(join(folder, 'no.txt'))), /^cannot read .*no.txt: no such file/);
  }));

test('the real captions of COCO: five of each photo', async () => {
  const shared = sharedDir();
  if (shared === null) return skip('real captions need ../shared/data/coco-captions-363');
  const dataset = await run(folderDataset(join(shared, 'data', 'coco-captions-363')));
  const all = await captions(dataset);
  assert.is(dataset.size, 363);
  assert.ok(all.every((of) => of.length >= 5));
  assert.is(all[0]?.[0], 'A woman stands in the dining area at the table.');
});

test.run();
