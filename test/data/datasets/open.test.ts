// Opening by path or by form: what is told from what lies there, patterns of shards, and the errors.
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { captionsAt, datasetSpecSchema, openDataset } from '../../../src/data/datasets/index.ts';
import { failure, inFolder, run } from '../../support/files.ts';
import { writeParquet } from '../../support/parquet.ts';
import { projectDir, sharedDir } from '../../support/shared.ts';
import { skip } from '../../support/skip.ts';
import { tarOf } from '../../support/tar.ts';

const test = suite('opening data sets');

const photos = join(projectDir, 'assets', 'photos');
const photo = join(photos, 'chelsea.png');
const tar = (key: string) =>
  tarOf([
    [`${key}.png`, 'x'],
    [`${key}.txt`, key],
  ]);
const parquet = (path: string, size: number) =>
  writeParquet(path, { image: { kind: 'image', data: Array.from({ length: size }, () => null) } });

test('a path is told by what lies there', () =>
  inFolder(async (folder) => {
    const at = (name: string) => join(folder, name);
    await Promise.all(['pictures', 'tars/a', 'hub/data', 'cifar'].map((name) => mkdir(at(name), { recursive: true })));
    await copyFile(photo, at('pictures/a.png'));
    await copyFile(photo, at('pictures/b.png'));
    await writeFile(at('pictures/captions.txt'), 'a.png,A cat\n');
    await writeFile(at('tars/a/0.tar'), tar('k0'));
    await writeFile(at('tars/1.tar'), tar('k1'));
    await parquet(at('hub/data/train-00000-of-00002.parquet'), 3);
    await parquet(at('hub/data/train-00001-of-00002.parquet'), 2);
    await writeFile(at('hub/README.md'), '# a data set');
    await writeFile(at('cifar/data_batch_1.bin'), new Uint8Array(3073));
    const cases: readonly (readonly [path: string, size: number, first: string])[] = [
      ['pictures', 2, 'a.png'],
      ['pictures/*.png', 2, 'a.png'],
      ['pictures/b.png', 1, 'b.png'],
      ['tars', 2, '1.tar/k1.png'],
      ['tars/a/0.tar', 1, '0.tar/k0.png'],
      ['tars/**/*.tar', 2, '1.tar/k1.png'],
      ['hub', 5, 'train-00000-of-00002.parquet/0'],
      ['hub/data/train-{00001..00001}-of-00002.parquet', 2, 'train-00001-of-00002.parquet/0'],
      ['cifar', 1, 'airplane-0'],
      ['cifar/data_batch_1.bin', 1, 'airplane-0'],
    ];
    for (const [path, size, first] of cases) {
      const dataset = await run(openDataset(at(path)));
      assert.is(dataset.size, size, path);
      assert.ok(dataset.nameOf(0).endsWith(first), `${path}: ${dataset.nameOf(0)}`);
      assert.is(dataset.path, at(path));
    }
    assert.equal(await run(captionsAt(await run(openDataset(at('pictures'))), 0)), ['A cat']);
  }));

test('CIFAR is told by the size of its records, and opened from patterns', () =>
  inFolder(async (folder) => {
    const at = (name: string) => join(folder, name);
    await Promise.all(['ten', 'hundred/deep'].map((name) => mkdir(at(name), { recursive: true })));
    for (const n of [1, 2]) await writeFile(at(`ten/data_batch_${n}.bin`), new Uint8Array(3073 * n));
    await writeFile(at('ten/test_batch.bin'), new Uint8Array(3073 * 4));
    await writeFile(at('ten/batches.meta.txt'), 'airplane');
    await writeFile(at('hundred/deep/train.bin'), new Uint8Array(3074 * 5).fill(99));
    await writeFile(at('hundred/deep/fine_label_names.txt'), 'apple\n');
    const cases: readonly (readonly [path: string, size: number, first: string])[] = [
      ['ten', 3, 'airplane-0'],
      ['ten/*.bin', 7, 'airplane-0'],
      ['ten/test*', 4, 'airplane-0'],
      ['ten/data_batch_{1..2}.bin', 3, 'airplane-0'],
      ['hundred', 5, '99-0'],
      ['hundred/deep/train.bin', 5, '99-0'],
    ];
    for (const [path, size, first] of cases) {
      const dataset = await run(openDataset(at(path)));
      assert.equal([dataset.size, dataset.nameOf(0)], [size, first], path);
    }
    assert.is((await run(openDataset({ kind: 'cifar10', path: at('ten/test*.bin') }))).size, 4);
    for (const spec of [at('ten'), { kind: 'cifar10' as const, path: at('ten') }])
      assert.match(await failure(openDataset(spec, { split: null })), /choose one, as '.*ten\/test_batch\*' or/);
    assert.is((await run(openDataset({ kind: 'cifar10', path: at('ten'), split: 'test' }, { split: null }))).size, 4);
    await writeFile(at('ten/data_batch_2.bin'), new Uint8Array(99));
    assert.match(await failure(openDataset(at('ten'))), /data_batch_2.bin: 99 bytes are not whole CIFAR-10 records/);
  }));

test('a folder whose captions nobody asks for is opened without them', () =>
  inFolder(async (folder) => {
    await copyFile(photo, join(folder, 'a.png'));
    await writeFile(join(folder, 'captions.txt'), 'of something else\n');
    assert.match(await failure(openDataset(folder)), /captions.txt: line 1/);
    for (const spec of [folder, { kind: 'folder' as const, path: folder }])
      assert.is((await run(openDataset(spec, { captions: false }))).captionsOf, undefined);
    const images = [{ filename: 'a.png', split: 'test', sentences: [{ raw: 'A' }] }];
    await writeFile(join(folder, 'split.json'), JSON.stringify({ images }));
    const split = { kind: 'folder' as const, path: folder, captions: join(folder, 'split.json'), split: 'test' };
    assert.is((await run(openDataset(split, { captions: false }))).size, 1);
  }));

test('a range of shards stands for each of them, in its order: a missing one is an error', () =>
  inFolder(async (folder) => {
    for (const n of [8, 9, 10])
      await writeFile(join(folder, `cc12m-train-${String(n).padStart(4, '0')}.tar`), tar(`${n}`));
    const open = (pattern: string) => openDataset(join(folder, pattern));
    const dataset = await run(open('cc12m-train-{0008..0010}.tar'));
    assert.equal(
      [0, 1, 2].map(dataset.nameOf),
      [8, 9, 10].map((n) => `cc12m-train-${String(n).padStart(4, '0')}.tar/${n}.png`),
    );
    assert.is((await run(open('cc12m-train-{0010..0008}.tar'))).nameOf(0), 'cc12m-train-0010.tar/10.png');
    assert.is((await run(open('cc12m-train-00{0{8..9},10}.tar'))).size, 3);
    assert.match(
      await failure(open('cc12m-train-{0008..0011}.tar')),
      /^cannot read .*cc12m-train-0011.tar: no such file/,
    );
    assert.match(await failure(open('cc12m-val-*.tar')), /cc12m-val-\*.tar: no file matches this pattern/);
    const two = [join(folder, '*-0009.tar'), join(folder, '*-0008.tar')];
    assert.is((await run(openDataset({ kind: 'webdataset', path: two }))).nameOf(1), 'cc12m-train-0008.tar/8.png');
  }));

test('forms with their options', () =>
  inFolder(async (folder) => {
    await mkdir(join(folder, 'cat'));
    await copyFile(photo, join(folder, 'cat', 'a.png'));
    await writeFile(join(folder, 'said.txt'), 'a.png,A cat\n');
    const labelled = await run(
      openDataset({ kind: 'folder', path: folder, labels: true, captions: join(folder, 'said.txt') }),
    );
    assert.equal([labelled.labelOf(0), labelled.classes, await run(captionsAt(labelled, 0))], [0, ['cat'], ['A cat']]);
    await writeFile(
      join(folder, 'a.tar'),
      tarOf([
        ['k.image', 'x'],
        ['k.png', 'y'],
      ]),
    );
    const named = await run(openDataset({ kind: 'webdataset', path: folder, image: 'image' }));
    assert.is(named.nameOf(0), 'a.tar/k.image');
    await writeParquet(join(folder, 'a.parquet'), { raw: { kind: 'bytes', data: [null] } });
    assert.is((await run(openDataset({ kind: 'parquet', path: folder, image: 'raw' }))).size, 1);
    await writeFile(join(folder, 'test.bin'), new Uint8Array(3074));
    assert.is((await run(openDataset({ kind: 'cifar100', path: folder, split: 'test' }))).size, 1);
  }));

test('what cannot be told is one error that says what to do', () =>
  inFolder(async (folder) => {
    const fails = (path: string) => failure(openDataset(path));
    assert.match(
      await fails(folder),
      /it is, or holds, none of these: pictures .*, tars .*, Parquet files, CIFAR’s .bin/,
    );
    await writeFile(join(folder, 'notes.txt'), 'x');
    assert.match(await fails(join(folder, 'notes.txt')), /notes.txt: it is, or holds, none of these/);
    assert.match(await fails(join(folder, 'no')), /^cannot read .*no: no such file or folder/);
    await parquet(join(folder, 'train-00000-of-00001.parquet'), 1);
    await parquet(join(folder, 'test-00000-of-00001.parquet'), 1);
    assert.match(await fails(folder), /it holds several splits \(test, train\): choose one, as .*\*test\*/);
    await copyFile(photo, join(folder, 'logo.png'));
    assert.match(
      await fails(folder),
      /it holds pictures .*, Parquet files: say which is meant, \{ kind: 'folder', path: … \} or \{ kind: 'parquet'/,
    );
    assert.match(await failure(openDataset({ kind: 'webdataset', path: folder })), /the folder holds no tars/);
  }));

test('a pattern of everything takes what the form can be, captions with it, and says so where nothing is left', () =>
  inFolder(async (folder) => {
    const at = (name: string) => join(folder, name);
    await Promise.all(['pictures', 'table', 'tars', 'cifar'].map((name) => mkdir(at(name))));
    for (const name of ['pictures/a.png', 'pictures/b.png', 'table/a.png']) await copyFile(photo, at(name));
    await writeFile(at('pictures/a.txt'), 'A cat\n');
    await writeFile(at('table/captions.txt'), 'a.png,A table\n');
    await writeFile(at('tars/0.tar'), tar('k0'));
    await writeFile(at('tars/sizes.json'), '{}');
    await writeFile(at('cifar/data_batch_1.bin'), new Uint8Array(3073));
    await writeFile(at('cifar/readme.html'), '');
    const captions = async (name: string) => {
      const dataset = await run(openDataset(at(name)));
      return Promise.all(Array.from({ length: dataset.size }, (_, i) => run(captionsAt(dataset, i))));
    };
    assert.equal(await captions('pictures/*'), [['A cat'], []]);
    assert.equal(await captions('pictures/*.png'), [[], []], 'what the pattern does not match is not read');
    assert.equal(await captions('table/*'), [['A table']]);
    assert.is((await run(openDataset(at('table/*'), { captions: false }))).captionsOf, undefined);
    const everything = { tars: 'webdataset', cifar: 'cifar10' } as const;
    for (const [name, kind] of Object.entries(everything))
      for (const spec of [at(`${name}/*`), { kind, path: at(`${name}/*`) }])
        assert.is((await run(openDataset(spec))).size, 1);
    assert.is(
      await failure(openDataset({ kind: 'parquet', path: at('tars/*') })),
      `data ${at('tars/*')}: it matches none of Parquet files, but 0.tar, sizes.json`,
    );
  }));

test('splits that folders tell are told apart as those that files tell', () =>
  inFolder(async (folder) => {
    const at = (name: string) => join(folder, name);
    for (const name of ['wds/train', 'wds/val', 'hub/default/train', 'hub/default/test', 'one/train/a', 'one/train/b'])
      await mkdir(at(name), { recursive: true });
    for (const name of ['wds/train/0', 'wds/train/1', 'wds/val/0', 'one/train/a/0', 'one/train/b/test', 'one/0'])
      await writeFile(at(`${name}.tar`), tar('k'));
    for (const name of ['train', 'test']) await parquet(at(`hub/default/${name}/0000.parquet`), 1);
    const cases = [
      ['webdataset', 'wds', 'train, val', 'wds/train'],
      ['parquet', 'hub', 'test, train', 'hub/default/test'],
    ] as const;
    for (const [kind, name, splits, choice] of cases)
      for (const spec of [at(name), { kind, path: at(name) }])
        for (const split of ['train', null] as const)
          assert.is(
            await failure(openDataset(spec, { split })),
            `data ${at(name)}: it holds several splits (${splits}): choose one, as ${at(choice)}`,
          );
    assert.is((await run(openDataset(at('wds/train')))).size, 2);
    assert.is((await run(openDataset(at('hub/default/test')))).size, 1);
    assert.is((await run(openDataset({ kind: 'webdataset', path: [at('wds/train'), at('wds/val')] }))).size, 3);
    assert.match(
      await failure(openDataset(at('one'))),
      /several splits \(train, test\)/,
      'the name of a file counts first',
    );
  }));

test('the schema takes paths and forms, and nothing else', () => {
  for (const spec of [
    'data',
    { kind: 'folder', path: 'x', captions: null },
    { kind: 'parquet', path: ['a', 'b'], image: 'img' },
  ])
    assert.equal(datasetSpecSchema.parse(spec), spec);
  for (const spec of [
    '',
    {},
    { kind: 'tar', path: 'x' },
    { kind: 'folder' },
    { kind: 'folder', path: 'x', image: 'y' },
    { kind: 'webdataset', path: [] },
  ])
    assert.not(datasetSpecSchema.safeParse(spec).success, JSON.stringify(spec));
});

test('real folders: photos, COCO with captions, CIFAR-10', async () => {
  assert.ok((await run(openDataset(photos))).size > 0);
  const shared = sharedDir();
  if (shared === null) return skip('real data sets need ../shared/data');
  assert.is((await run(openDataset(join(shared, 'data', 'coco-captions-363')))).size, 363);
  assert.is((await run(openDataset(join(shared, 'data', 'imagenet-sample-1000')))).size, 1000);
  assert.is((await run(openDataset(join(shared, 'data', 'cifar10-subset')))).size, 5000);
});

test.run();
