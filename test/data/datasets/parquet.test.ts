// Parquet files: columns by name and by what they are, row groups by range, and what can be wrong with a file.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import sharp from 'sharp';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Batch, batches } from '../../../src/data/batches.ts';
import { captionsAt, type ImageDataset, openParquet } from '../../../src/data/datasets/index.ts';
import { recent } from '../../../src/data/datasets/recent.ts';
import { failure, inFolder, rightOf, run } from '../../support/files.ts';
import { writeParquet } from '../../support/parquet.ts';

const test = suite('Parquet');

/** A PNG of one grey level. */
const grey = (level: number): Promise<Buffer> =>
  sharp({ create: { width: 3, height: 2, channels: 3, background: { r: level, g: level, b: level } } })
    .png()
    .toBuffer();
const greys = (levels: readonly number[]) => Promise.all(levels.map(grey));
const struct = (bytes: Uint8Array | null, path: string | null = null) => ({ bytes, path });
const level = async (dataset: ImageDataset, index: number) => (await run(dataset.load(index))).data[0];

test('Hugging Face’s form: a struct of bytes, text, classes with names', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'train.parquet');
    const pictures = await greys([1, 2, 3]);
    const features = { label: { names: ['cat', 'dog'], _type: 'ClassLabel' }, image: { _type: 'Image' } };
    await writeParquet(
      path,
      {
        image: { kind: 'image', data: pictures.map((bytes, n) => struct(bytes, `${n}.png`)) },
        text: { kind: 'text', data: [' a cat', null, ''] },
        label: { kind: 'int', data: [1n, 0n, -1n] },
      },
      { metadata: [{ key: 'huggingface', value: JSON.stringify({ info: { features } }) }] },
    );
    const dataset = await run(openParquet(path, [path]));
    assert.equal([dataset.size, dataset.nameOf(2), dataset.classes], [3, 'train.parquet/2', ['cat', 'dog']]);
    assert.equal([0, 1, 2].map(dataset.labelOf), [1, 0, null]);
    assert.equal(await Promise.all([0, 1, 2].map((i) => level(dataset, i))), [1, 2, 3]);
    assert.equal(await Promise.all([0, 1, 2].map((i) => run(captionsAt(dataset, i)))), [['a cat'], [], []]);
  }));

test('columns by name: plain bytes, lists of captions; a picture’s struct is found whatever its name', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'a.parquet');
    const pictures = await greys([4, 5]);
    await writeParquet(path, {
      img: { kind: 'image', data: pictures.map((bytes) => struct(bytes)) },
      raw: { kind: 'bytes', data: [...pictures].reverse() },
      sentences: { kind: 'texts', data: [['one', ' two '], []] },
      fine_label: { kind: 'int', data: [7n, null] },
    });
    const found = await run(openParquet(path, [path]));
    assert.equal([await level(found, 0), found.labelOf(0), found.captionsOf], [4, null, undefined]);
    const named = await run(openParquet(path, [path], { image: 'raw', caption: 'sentences', label: 'fine_label' }));
    assert.equal([await level(named, 0), named.labelOf(0), named.labelOf(1)], [5, 7, null]);
    assert.equal(await Promise.all([0, 1].map((i) => run(captionsAt(named, i)))), [['one', 'two'], []]);
  }));

test('any sizes of files and row groups give the rows in order, and blocks that add up to them', async () => {
  const pictures = await greys(Array.from({ length: 12 }, (_, i) => i));
  const sizes = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(sizes, fc.integer({ min: 1, max: 4 }), fc.boolean(), (files, rowGroupSize, snappy) =>
      inFolder(async (folder) => {
        const total = Math.min(
          12,
          files.reduce((a, b) => a + b, 0),
        );
        fc.pre(total > 0);
        const paths: string[] = [];
        for (let at = 0, n = 0; n < files.length; n++) {
          const part = pictures.slice(at, Math.min(at + files[n]!, total));
          at += part.length;
          const path = join(folder, `${n}.parquet`);
          const data = part.map((bytes) => struct(bytes));
          await writeParquet(
            path,
            { image: { kind: 'image', data } },
            { rowGroupSize, codec: snappy ? 'SNAPPY' : 'UNCOMPRESSED' },
          );
          paths.push(path);
        }
        const dataset = await run(openParquet(folder, paths));
        assert.is(dataset.size, total);
        assert.is(
          dataset.blocks?.reduce((sum, { size }) => sum + size, 0),
          total,
        );
        assert.ok(dataset.blocks?.every(({ size, bytes }) => size <= rowGroupSize && bytes > 0));
        const indices = Array.from({ length: total }, (_, i) => i);
        assert.equal(await Promise.all(indices.map((i) => level(dataset, i))), indices);
      }),
    ),
    { numRuns: 20 },
  );
});

test('shuffled batches of many row groups hold every row once an epoch, and resume anywhere', () =>
  inFolder(async (folder) => {
    const pictures = await greys(Array.from({ length: 20 }, (_, i) => i));
    const data = pictures.map((bytes) => struct(bytes));
    await writeParquet(
      join(folder, '0.parquet'),
      { image: { kind: 'image', data: data.slice(0, 13) } },
      { rowGroupSize: 4 },
    );
    await writeParquet(
      join(folder, '1.parquet'),
      { image: { kind: 'image', data: data.slice(13) } },
      { rowGroupSize: 3 },
    );
    const dataset = await run(
      openParquet(
        folder,
        [0, 1].map((n) => join(folder, `${n}.parquet`)),
      ),
    );
    const take = async (start: number): Promise<readonly Batch[]> => {
      const taken: Batch[] = [];
      const transform = { kind: 'squash', size: 2 } as const;
      const options = { batchSize: 4, transform, seed: 3, start, end: 40, onSkip: () => assert.unreachable() };
      for await (const batch of batches(dataset, options)) taken.push(rightOf(batch));
      return taken;
    };
    const whole = await take(0);
    for (const epoch of [0, 1]) {
      const names = whole.slice(epoch * 5, epoch * 5 + 5).flatMap((batch) => batch.names);
      assert.is(new Set(names).size, 20);
    }
    await fc.assert(
      fc.asyncProperty(fc.nat(9), async (done) => assert.equal(await take(done * 4), whole.slice(done))),
      { numRuns: 10 },
    );
  }));

test('what was read last is kept, up to a number of bytes; one reading serves all who wait for it', async () => {
  const keys = [30, 30, 50, 200].map((bytes, name) => ({ name, bytes }));
  const read: number[] = [];
  const get = recent(100, async (key: (typeof keys)[number]) => {
    read.push(key.name);
    return key.name;
  });
  const ask = async (...names: readonly number[]): Promise<readonly number[]> => {
    read.length = 0;
    const got = await Promise.all(names.map((name) => get(keys[name]!)));
    assert.equal(got, names);
    return [...read];
  };
  assert.equal(await ask(0, 0, 1, 0), [0, 1], 'each once');
  assert.equal(await ask(2, 0), [2], '1 was asked for longest ago and made room');
  assert.equal(await ask(1, 0), [1]);
  assert.equal(await ask(3, 3), [3], 'one that is larger than the room stays while it is the last');
  assert.equal(await ask(0, 3), [0, 3]);
});

test('rows without bytes, empty and broken pictures each fail by themselves', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'a.parquet');
    const picture = await grey(9);
    const data = [
      struct(null, 'elsewhere.jpg'),
      null,
      struct(new Uint8Array(0)),
      struct(Buffer.from('text')),
      struct(picture),
    ];
    await writeParquet(path, { image: { kind: 'image', data } });
    const dataset = await run(openParquet(path, [path]));
    assert.match(await failure(dataset.load(0)), /^image .*a.parquet\/0: the row holds no bytes of a picture/);
    assert.match(await failure(dataset.load(1)), /^image .*a.parquet\/1: the row holds no bytes of a picture/);
    assert.match(await failure(dataset.load(2)), /a.parquet\/2: cannot be decoded \(the file is empty\)/);
    assert.match(await failure(dataset.load(3)), /a.parquet\/3: cannot be decoded \(this is not an image\)/);
    assert.is(await level(dataset, 4), 9);
  }));

test('a missing column names those that there are; a column of another kind is named', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'a.parquet');
    await writeParquet(path, {
      pixels: { kind: 'bytes', data: [await grey(1)] },
      url: { kind: 'text', data: ['x'] },
      captions: { kind: 'texts', data: [['x']] },
      label: { kind: 'int', data: [1n << 40n] },
    });
    const open = (options = {}) => failure(openParquet(path, [path], options));
    const columns =
      'its columns are pixels \\(bytes\\), url \\(text\\), captions \\(list of text\\), label \\(whole number\\)';
    assert.match(
      await open(),
      new RegExp(`^data .*a.parquet: there is no column image; ${columns}: name the right one with image`),
    );
    assert.match(await open({ image: 'url' }), /the column url \(text\) is not a picture struct or bytes; its columns/);
    assert.match(
      await open({ image: 'pixels', caption: 'no' }),
      /there is no column no; .*: name the right one with caption/,
    );
    assert.match(await open({ image: 'pixels', label: 'url' }), /the column url \(text\) is not a whole number/);
    assert.match(await open({ image: 'pixels' }), /row 0: the label 1099511627776 is no class’s number/);
  }));

test('what is no Parquet file, or not a whole one, is one error; a damaged row group fails its rows', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'a.parquet');
    const noise = Array.from({ length: 6 }, (_, n) => Uint8Array.from({ length: 500 }, (_, i) => (i * 37 + n) % 251));
    await writeParquet(
      path,
      { image: { kind: 'image', data: noise.map((x) => struct(x)) } },
      { rowGroupSize: 3, codec: 'UNCOMPRESSED' },
    );
    const whole = await readFile(path);
    const open = () => openParquet(path, [path]);
    await writeFile(path, 'hello, this is text');
    assert.match(await failure(open()), /^data .*a.parquet: it is not a whole Parquet file \(.*\): get it again/);
    await writeFile(path, whole.subarray(0, whole.length / 2));
    assert.match(await failure(open()), /it is not a whole Parquet file/);
    assert.match(
      await failure(openParquet('x', [join(folder, 'no.parquet')])),
      /^cannot read .*no.parquet: no such file/,
    );
    const broken = Buffer.from(whole);
    broken.fill(0xff, 4, 400);
    await writeFile(path, broken);
    const dataset = await run(open());
    assert.match(
      await failure(dataset.load(1)),
      /^image .*a.parquet\/1: rows 0 to 2 cannot be read \(.*\): get the file/,
    );
    assert.match(await failure(dataset.load(3)), /a.parquet\/3: cannot be decoded \(this is not an image\)/);
  }));

test.run();
