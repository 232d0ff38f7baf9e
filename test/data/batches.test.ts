// Order, exact resume, pictures that fail, and the ends.
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Batch, type BatchOptions, batches } from '../../src/data/batches.ts';
import { cached, folderDataset, type ImageDataset } from '../../src/data/datasets/index.ts';
import { type DataError, imageError, renderDataError } from '../../src/data/error.ts';
import { blank, randomResizedCrop, squash } from '../../src/data/images/index.ts';
import { inFolder, leftOf, rightOf, run } from '../support/files.ts';
import { projectDir } from '../support/shared.ts';

const test = suite('batches');

/** `size` pictures of one grey level each; those in `bad` fail. */
const greys = (size: number, bad: readonly number[] = [], loads: number[] = []): ImageDataset => ({
  path: 'greys',
  size,
  nameOf: (index) => `grey-${index}`,
  labelOf: (index) => index % 10,
  load: (index) => {
    loads.push(index);
    return bad.includes(index)
      ? TE.left(imageError(`grey-${index}`, 'is broken'))
      : TE.right(blank(4, 4, [index, index, index]));
  },
});

const take = async (
  dataset: ImageDataset,
  options: Partial<BatchOptions>,
  count: number,
): Promise<readonly Batch[]> => {
  const out: Batch[] = [];
  const all = { batchSize: 4, transform: squash(2), seed: 1, onSkip: () => undefined, ...options };
  if (count > 0)
    for await (const batch of batches(dataset, all)) {
      out.push(rightOf(batch));
      if (out.length === count) break;
    }
  return out;
};
const names = (all: readonly Batch[]) => all.flatMap((batch) => batch.names);

test('every epoch holds every picture once, in an order of its own; batches run on over its end', async () => {
  const all = names(await take(greys(10), {}, 5));
  const [first, second] = [all.slice(0, 10), all.slice(10)];
  assert.is(new Set(first).size, 10);
  assert.is(new Set(second).size, 10);
  assert.not.equal(first, second);
  assert.equal(all, names(await take(greys(10), { prefetch: 3 }, 5)), 'loading ahead changes nothing');
  assert.not.equal(all, names(await take(greys(10), { seed: 2 }, 5)));
});

test('one pass in listed order, with a smaller last batch', async () => {
  const all = await take(greys(10), { seed: null, end: 10 }, 99);
  assert.equal(
    names(all),
    Array.from({ length: 10 }, (_, i) => `grey-${i}`),
  );
  assert.equal(
    all.map(({ count, first, next }) => [count, first, next]),
    [
      [4, 0, 4],
      [4, 4, 8],
      [2, 8, 10],
    ],
  );
  assert.equal(all[1]?.labels, [4, 5, 6, 7]);
  const { images, height, width } = all[2]!;
  assert.equal([images.length, height, width], [2 * 3 * 4, 2, 2]);
  assert.ok(Math.abs(images[0]! - ((8 / 255) * 2 - 1)) < 1e-6 && Math.abs(images[23]! - ((9 / 255) * 2 - 1)) < 1e-6);
});

test('resuming at any batch gives the same batches, failures included', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 12 }),
      fc.integer({ min: 1, max: 5 }),
      fc.nat(5),
      fc.nat(2),
      fc.uniqueArray(fc.nat(11), { maxLength: 3 }),
      async (size, batchSize, done, prefetch, bad) => {
        fc.pre(bad.filter((index) => index < size).length < size);
        const dataset = greys(size, bad);
        const transform = randomResizedCrop(3, { seed: 5 });
        const whole = await take(dataset, { batchSize, transform, prefetch }, done + 3);
        const resumed = await take(dataset, { batchSize, transform, start: whole[done - 1]?.next ?? 0 }, 3);
        assert.equal(resumed, whole.slice(done));
      },
    ),
    { numRuns: 100 },
  );
});

test('random crops are drawn anew for a picture in each epoch, and are the same after resuming', async () => {
  const dataset = await run(folderDataset(join(projectDir, 'assets', 'photos')));
  const options = { batchSize: 3, transform: randomResizedCrop(24, { seed: 3, scale: [0.3, 1] }) };
  const whole = await take(dataset, options, 6);
  const resumed = await take(cached(dataset, 1e8), { ...options, start: whole[3]!.next }, 2);
  assert.equal(
    resumed.map((batch) => batch.names),
    whole.slice(4).map((batch) => batch.names),
  );
  assert.is(Buffer.compare(Buffer.from(resumed[0]!.images.buffer), Buffer.from(whole[4]!.images.buffer)), 0);
  const pixels = new Map<string, string[]>();
  for (const { names: of, images } of whole)
    of.forEach((name, n) => {
      pixels.set(name, [...(pixels.get(name) ?? []), images.slice(n * 1728, (n + 1) * 1728).join()]);
    });
  const twice = [...pixels.values()].filter((seen) => seen.length > 1);
  assert.ok(twice.length > 0 && twice.every(([a, b]) => a !== b));
});

test('pictures that fail are named once, counted, not tried again, and replaced', async () => {
  const told: [DataError, number][] = [];
  const loads: number[] = [];
  const dataset = greys(5, [1, 3], loads);
  const all = await take(
    dataset,
    { batchSize: 3, prefetch: 0, onSkip: (error, total) => told.push([error, total]) },
    4,
  );
  assert.ok(all.every((batch) => batch.count === 3));
  assert.equal(new Set(names(all)), new Set(['grey-0', 'grey-2', 'grey-4']));
  assert.equal(
    told.map(([, total]) => total),
    [1, 2],
  );
  assert.equal(told.map(([error]) => renderDataError(error)).sort(), [
    'image grey-1: is broken',
    'image grey-3: is broken',
  ]);
  assert.is(loads.filter((index) => index === 1).length, 1);
});

test('nothing usable is an error, not an endless search', async () => {
  const last = async (dataset: ImageDataset): Promise<string> => {
    for await (const batch of batches(dataset, {
      batchSize: 2,
      transform: squash(2),
      seed: 1,
      onSkip: () => undefined,
    }))
      if (E.isLeft(batch)) return renderDataError(batch.left);
    return 'no error';
  };
  assert.match(
    await last(greys(3, [0, 1, 2])),
    /^data greys: none of the 3 pictures can be used; the first: image grey-\d: is/,
  );
  assert.is(await last(greys(0)), 'data greys: there are no pictures');
});

test('a folder with a text file called .png trains on the rest', () =>
  inFolder(async (folder) => {
    await copyFile(join(projectDir, 'assets', 'photos', 'chelsea.png'), join(folder, 'cat.png'));
    await writeFile(join(folder, 'text.png'), 'hello');
    const told: string[] = [];
    const onSkip = (error: DataError) => told.push(renderDataError(error));
    const all = await take(await run(folderDataset(folder)), { batchSize: 2, onSkip }, 2);
    assert.equal(names(all), ['cat.png', 'cat.png', 'cat.png', 'cat.png']);
    assert.is(told.length, 1);
    assert.match(told[0] ?? '', /text.png: cannot be decoded \(this is not an image\)/);
  }));

/** `greys` with captions: none of the first picture, one of the second, two of the third, and so on. */
const captioned = (size: number): ImageDataset => ({
  ...greys(size),
  captionsOf: (index) => TE.right(Array.from({ length: index % 4 }, (_, n) => `caption ${n} of ${index}`)),
});

test('of several captions the sample’s number draws one, whatever the batches; all come up', async () => {
  const dataset = captioned(8);
  const all = (await take(dataset, { batchSize: 8 }, 30)).flatMap((batch) =>
    batch.names.map((name, n) => [name, batch.captions[n]] as const),
  );
  const rest = (await take(dataset, { batchSize: 3, start: 100 }, 10)).flatMap(({ captions }) => captions);
  assert.equal(
    rest,
    all.slice(100, 130).map(([, caption]) => caption),
  );
  const said = new Set(all.map(([, caption]) => caption));
  assert.equal([said.size, said.has(null)], [1 + 2 * (1 + 2 + 3), true]);
  for (const [name, caption] of all) assert.ok(caption === null || caption?.endsWith(` of ${name.slice(5)}`), name);
});

test('captions may be needed, or left out', async () => {
  const told: string[] = [];
  const onSkip = (error: DataError, total: number) => told.push(`${total} ${renderDataError(error)}`);
  const needed = await take(captioned(5), { captions: 'required', seed: null, end: 5, onSkip }, 9);
  assert.equal(names(needed), ['grey-1', 'grey-2', 'grey-3']);
  assert.ok(needed[0]?.captions.every((caption) => caption !== null));
  assert.equal(told, ['1 image grey-0: it has no caption', '2 image grey-4: it has no caption']);
  assert.equal((await take(captioned(4), { captions: 'none' }, 1))[0]?.captions, [null, null, null, null]);
  assert.equal((await take(greys(4), {}, 1))[0]?.captions, [null, null, null, null]);
  for await (const batch of batches(greys(4), {
    batchSize: 2,
    transform: squash(2),
    seed: 1,
    captions: 'required',
    onSkip,
  }))
    assert.is(renderDataError(leftOf(batch)), 'data greys: there are no captions, and they are needed');
});

test('captions that cannot be read skip their picture', async () => {
  const dataset: ImageDataset = {
    ...greys(3),
    captionsOf: (index) => (index === 1 ? TE.left(imageError('grey-1', 'its caption is broken')) : TE.right(['x'])),
  };
  assert.equal(names(await take(dataset, { seed: null, end: 3 }, 9)), ['grey-0', 'grey-2']);
  assert.equal(names(await take(dataset, { seed: null, end: 3, captions: 'none' }, 9)), ['grey-0', 'grey-1', 'grey-2']);
});

test('a data set in blocks is shuffled by them', async () => {
  const blocks = Array.from({ length: 6 }, () => ({ size: 4, bytes: 2 ** 28 }));
  const all = names(await take({ ...greys(24), blocks }, { batchSize: 4 }, 6));
  assert.is(new Set(all).size, 24);
  for (let batch = 0; batch < 6; batch++) {
    const block = all.slice(batch * 4, batch * 4 + 4).map((name) => Math.floor(Number(name.slice(5)) / 4));
    assert.is(new Set(block).size, 1, 'a block as large as the window is used up before the next');
  }
});

test('a transform that gives different sizes is an error', async () => {
  const dataset = greys(4);
  const transform = (_: unknown, sample: number) => blank(1 + sample, 1, [0, 0, 0]);
  for await (const batch of batches(dataset, { batchSize: 2, transform, seed: null, onSkip: () => undefined }))
    assert.ok(E.isLeft(batch) && /and, for grey-1, another size/.test(renderDataError(batch.left)));
});

test('the cache keeps within its bytes and loads the rest again', async () => {
  const loads: number[] = [];
  const dataset = cached(greys(3, [2], loads), 2 * 48);
  for (const index of [0, 0, 1, 1, 2, 2, 0]) await dataset.load(index)();
  assert.equal(loads, [0, 1, 2, 2]);
  loads.length = 0;
  const small = cached(greys(3, [], loads), 50);
  for (const index of [0, 1, 0, 1]) await small.load(index)();
  assert.equal(loads, [0, 1, 1]);
});

test('beside what the cache keeps only a few pictures are decoded ahead, and then the threads decode', async () => {
  const [size, fit] = [32, 3];
  for (const room of [0, fit * 48, size * 48]) {
    let [loading, most] = [0, 0];
    const loads: number[] = [];
    const dataset: ImageDataset = {
      ...greys(size),
      load: (index) => async () => {
        loads.push(index);
        most = Math.max(most, ++loading);
        await setTimeout(1);
        loading--;
        return E.right(blank(4, 4, [index, index, index]));
      },
      stored: (index) => TE.right({ path: `grey-${index}`, bytes: new Uint8Array([index]) }),
    };
    const opened = cached(dataset, room);
    const ask = () => Promise.all(Array.from({ length: size }, async (_, i) => rightOf(await opened.stored!(i)())));
    const [first, again] = [await ask(), await ask()];
    assert.ok(most <= 4, `${most} at once`);
    const decoded = first.flatMap((one, i) => ('data' in one ? [i] : []));
    assert.equal(
      decoded,
      [...loads].sort((a, b) => a - b),
      'each is decoded once',
    );
    assert.ok(room < 48 * size ? decoded.length <= room / 48 + (room > 0 ? 4 : 0) : decoded.length === size);
    assert.is(again.filter((one) => 'data' in one).length, room / 48, 'the kept ones');
    for (const seen of [first, again])
      assert.ok(seen.every((one, i) => ('data' in one ? one.data[0] : one.bytes[0]) === i));
  }
});

test.run();
