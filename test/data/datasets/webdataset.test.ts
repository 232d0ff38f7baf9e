// WebDataset tars: grouping, ranges, labels and captions, and everything that can be wrong with a tar.
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import sharp from 'sharp';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { batches } from '../../../src/data/batches.ts';
import { captionsAt, type ImageDataset, openWebDataset } from '../../../src/data/datasets/index.ts';
import { type DataError, renderDataError } from '../../../src/data/error.ts';
import { failure, inFolder, leftOf, run } from '../../support/files.ts';
import { projectDir } from '../../support/shared.ts';
import { type TarEntry, tarMember, tarOf } from '../../support/tar.ts';

const test = suite('WebDataset');

/** A PNG of one grey level. */
const grey = (level: number): Promise<Buffer> =>
  sharp({ create: { width: 3, height: 2, channels: 3, background: { r: level, g: level, b: level } } })
    .png()
    .toBuffer();

const inTar = async (bytes: Uint8Array, use: (path: string) => Promise<void>): Promise<void> =>
  inFolder(async (folder) => {
    const path = join(folder, 'a.tar');
    await writeFile(path, bytes);
    await use(path);
  });

const collect = async <A>(items: AsyncIterable<A>): Promise<readonly A[]> => {
  const all: A[] = [];
  for await (const item of items) all.push(item);
  return all;
};

const open = (path: string, options = {}) => openWebDataset(path, [path], options);
const names = (dataset: ImageDataset) => Array.from({ length: dataset.size }, (_, i) => dataset.nameOf(i));
const level = async (dataset: ImageDataset, index: number) => (await run(dataset.load(index))).data[0];

test('members of one name are one sample: picture, text or JSON, class', async () => {
  const tar = tarOf([
    ['000000000.png', await grey(10)],
    ['000000000.txt', 'a grey square\n'],
    ['000000000.json', '{"caption": "not this"}'],
    ['000000001.json', '{"key": "000000001", "caption": "a darker one", "url": "…"}'],
    ['000000001.PNG', await grey(20)],
    ['000000001.cls', '7\n'],
    ['folder.v1/000000002.png', await grey(30)],
    ['folder.v1/000000002.seg.png', await grey(99)],
    ['.hidden.txt', 'left by a tool'],
  ]);
  await inTar(tar, async (path) => {
    const dataset = await run(open(path));
    assert.equal(names(dataset), ['a.tar/000000000.png', 'a.tar/000000001.PNG', 'a.tar/folder.v1/000000002.png']);
    assert.equal([0, 1, 2].map(dataset.labelOf), [null, 7, null]);
    assert.equal(await Promise.all([0, 1, 2].map((i) => level(dataset, i))), [10, 20, 30]);
    const captions = await Promise.all([0, 1, 2].map((i) => run(captionsAt(dataset, i))));
    assert.equal(captions, [['a grey square'], ['a darker one'], []]);
    const other = await run(open(path, { image: '.seg.png', caption: 'json' }));
    assert.is(await level(other, 2), 99);
    assert.equal(await run(captionsAt(other, 0)), ['not this']);
    assert.match(await failure(other.load(0)), /a.tar\/000000000: it has no picture, only .json, .png, .txt/);
  });
});

test('any order of members, in any number of shards, compressed or not, gives the same samples', async () => {
  const pictures = await Promise.all([1, 2, 3, 4].map(grey));
  const entries: readonly TarEntry[] = pictures.flatMap((picture, n): TarEntry[] => [
    [`x/${n}.png`, picture],
    [`x/${n}.txt`, `number ${n}`],
    [`x/${n}.cls`, `${n}`],
  ]);
  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray([...entries], { minLength: 12 }), fc.boolean(), (order, compressed) =>
      inFolder(async (folder) => {
        // Each half of the samples goes into a shard of its own, in the order drawn.
        const halves = [0, 1].map((half) => order.filter(([path]) => Number(path[2]) >> 1 === half));
        const tars = halves.map((_, half) => join(folder, `${half}.tar`));
        for (const [half, tar] of tars.entries())
          await writeFile(tar, compressed ? gzipSync(tarOf(halves[half]!)) : tarOf(halves[half]!));
        const dataset = await run(openWebDataset(folder, tars));
        assert.equal(names(dataset), ['0.tar/x/0.png', '0.tar/x/1.png', '1.tar/x/2.png', '1.tar/x/3.png']);
        for (const n of [0, 1, 2, 3]) {
          assert.is(dataset.labelOf(n), n);
          assert.is(await level(dataset, n), n + 1);
          assert.equal(await run(captionsAt(dataset, n)), [`number ${n}`]);
        }
      }),
    ),
    { numRuns: 20 },
  );
});

test('tars as GNU tar and pax write them, with names too long for a header', () =>
  inFolder(async (folder) => {
    const long = join(folder, 'd'.repeat(120), 'ä'.repeat(60));
    await mkdir(long, { recursive: true });
    await writeFile(join(long, `${'k'.repeat(110)}.png`), await grey(5));
    await writeFile(join(long, `${'k'.repeat(110)}.txt`), 'long');
    for (const format of ['gnu', 'pax', 'oldgnu']) {
      const tar = join(folder, `${format}.tar`);
      execFileSync('tar', ['-C', folder, `--format=${format}`, '-cf', tar, 'd'.repeat(120)]);
      const dataset = await run(open(tar));
      assert.is(dataset.size, 1, format);
      assert.is(dataset.nameOf(0), `${format}.tar/${'d'.repeat(120)}/${'ä'.repeat(60)}/${'k'.repeat(110)}.png`);
      assert.is(await level(dataset, 0), 5);
      assert.equal(await run(captionsAt(dataset, 0)), ['long']);
    }
  }));

test('truncated, empty and non-image members: each fails by itself, and names the tar and the member', async () => {
  const photo = await readFile(join(projectDir, 'assets', 'photos', 'china.jpg'));
  const whole = Buffer.concat([
    tarMember(['a.jpg', photo]),
    tarMember(['b.jpg', photo.subarray(0, photo.length / 2)]),
    tarMember(['c.jpg', '']),
    tarMember(['d.jpg', 'this is text']),
    tarMember(['e.txt', 'a caption alone']),
    tarMember(['f.jpg', photo]),
    tarMember(['f.cls', 'cat']),
    tarMember(['g.jpg', photo]),
  ]);
  await inTar(whole.subarray(0, whole.length - 2000), async (path) => {
    const dataset = await run(open(path));
    assert.is(dataset.size, 7);
    await run(dataset.load(0));
    const errors = await Promise.all([1, 2, 3, 4, 5, 6].map((i) => failure(dataset.load(i))));
    const expected = [
      /^image .*a.tar\/b.jpg: cannot be decoded \(.*: it must be a whole JPEG/,
      /^image .*a.tar\/c.jpg: cannot be decoded \(the file is empty\)/,
      /^image .*a.tar\/d.jpg: cannot be decoded \(this is not an image\)/,
      /^image .*a.tar\/e: it has no picture, only .txt/,
      /^image .*a.tar\/f.jpg: its class is "cat", which is no whole number/,
      /^image .*a.tar\/g.jpg: the tar ends inside it: get the tar again/,
    ];
    for (const [i, pattern] of expected.entries()) assert.match(errors[i]!, pattern);
    assert.is(dataset.labelOf(5), null);
  });
});

test('a tar of which nothing can be used ends batches with an error that names the first member', async () => {
  await inTar(
    tarOf([
      ['a.jpg', 'text'],
      ['b.jpg', ''],
      ['c.txt', 'alone'],
    ]),
    async (path) => {
      const told: string[] = [];
      const onSkip = (error: DataError, total: number) => told.push(`${total} ${renderDataError(error)}`);
      const options = { batchSize: 2, transform: { kind: 'squash', size: 2 }, seed: null, onSkip } as const;
      const [only, ...more] = await collect(batches(await run(open(path)), options));
      assert.is(more.length, 0);
      assert.match(
        renderDataError(leftOf(only!)),
        /^data .*a.tar: none of the 3 pictures can be used; the first: image .*a.tar\/a.jpg: cannot be decoded/,
      );
      assert.is(told.length, 3);
    },
  );
});

test('a tar that ends amid a header counts one sample that cannot be used', async () => {
  const member = tarMember(['a.png', await grey(1)]);
  await inTar(Buffer.concat([member, member.subarray(0, 100)]), async (path) => {
    const dataset = await run(open(path));
    assert.equal(names(dataset), ['a.tar/a.png', 'a.tar/(end)']);
    await run(dataset.load(0));
    assert.match(await failure(dataset.load(1)), /amid a header, at byte 1024: get the tar again/);
    assert.equal([dataset.labelOf(1), await run(captionsAt(dataset, 1))], [null, []]);
  });
});

test('captions that cannot be read are errors of their own', async () => {
  const tar = Buffer.concat([
    tarMember(['a.png', await grey(1)]),
    tarMember(['a.json', '{"caption": ']),
    tarMember(['b.png', await grey(2)]),
    tarMember(['b.json', JSON.stringify({ caption: 'x'.repeat(3000) })]),
  ]);
  await inTar(tar.subarray(0, tar.length - 1000), async (path) => {
    const dataset = await run(open(path));
    await run(dataset.load(1));
    assert.match(await failure(captionsAt(dataset, 0)), /a.tar\/a.png: its caption is not JSON/);
    assert.match(await failure(captionsAt(dataset, 1)), /a.tar\/b.png: the tar ends inside its caption/);
  });
});

test('what is no tar, or holds no pictures, is one error', async () => {
  const first = tarMember(['a.png', await grey(1)]);
  const cases: readonly (readonly [Uint8Array, RegExp])[] = [
    [Buffer.from('hello'), /^data .*a.tar: this is not a tar/],
    [Buffer.alloc(2000, 'x'), /this is not a tar, for it does not begin with a header/],
    [new Uint8Array(0), /no sample has a picture .jpg, .jpeg, .png or .webp; it is empty/],
    [Buffer.concat([first, Buffer.alloc(600, 'x')]), /the tar is damaged: there should be a header at byte 1024. Get/],
    [
      tarOf([
        ['a.txt', 'x'],
        ['b.image.png', 'y'],
      ]),
      /no sample has a picture .*; its members end in .image.png, .txt: name what/,
    ],
    [gzipSync(tarOf([['a.png', 'x']])).subarray(0, 50), /a.tar: cannot be decompressed/],
  ];
  for (const [bytes, pattern] of cases)
    await inTar(bytes, async (path) => assert.match(await failure(open(path)), pattern));
  assert.match(await failure(open('/no/such.tar')), /^cannot read \/no\/such.tar: no such file/);
});

test('any cut of a tar opens, or is one error, and loads what lies before the cut', async () => {
  const pictures = await Promise.all([1, 2, 3].map(grey));
  const whole = tarOf(
    pictures.flatMap((picture, n): TarEntry[] => [
      [`${n}.png`, picture],
      [`${n}.cls`, `${n}`],
    ]),
  );
  const ends = pictures.map((picture, n) => n * 2048 + 512 + picture.length);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 512, max: whole.length }), (length) =>
      inTar(whole.subarray(0, length), async (path) => {
        const dataset = await run(open(path));
        for (const [n, end] of ends.entries())
          if (end <= length) assert.is(await level(dataset, n), n + 1, `${n} of ${length} bytes`);
          else if (n < dataset.size) assert.match(await failure(dataset.load(n)), /the tar ends/);
      }),
    ),
    { numRuns: 60 },
  );
});

test.run();
