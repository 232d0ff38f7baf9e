// The same photos as a folder, a tar and a Parquet file: the same batches, to the bit; and real photos with real captions.
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Batch, batches } from '../../../src/data/batches.ts';
import { captionsAt, type ImageDataset, openDataset } from '../../../src/data/datasets/index.ts';
import { listImages } from '../../../src/data/folder.ts';
import { inFolder, rightOf, run } from '../../support/files.ts';
import { writeParquet } from '../../support/parquet.ts';
import { projectDir, sharedDir } from '../../support/shared.ts';
import { skip } from '../../support/skip.ts';
import { type TarEntry, tarOf } from '../../support/tar.ts';

const test = suite('forms of one data set');

interface Photo {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly captions: readonly string[];
}

/** The photos as a tar and as a Parquet file, whose rows lie in groups of 7. */
const inForms = (photos: readonly Photo[], use: (forms: readonly ImageDataset[]) => Promise<void>): Promise<void> =>
  inFolder(async (folder) => {
    const [tar, parquet] = [join(folder, 'a.tar'), join(folder, 'a.parquet')];
    const entries = photos.flatMap(({ name, bytes, captions }): TarEntry[] => [
      [name, bytes],
      [name.replace(/\.\w+$/, '.txt'), captions.join('\n')],
    ]);
    await writeFile(tar, tarOf(entries));
    await writeParquet(
      parquet,
      {
        image: { kind: 'image', data: photos.map(({ bytes, name }) => ({ bytes, path: name })) },
        captions: { kind: 'texts', data: photos.map(({ captions }) => captions) },
      },
      { rowGroupSize: 7 },
    );
    await use([await run(openDataset(tar)), await run(openDataset(parquet))]);
  });

const onePass = async (dataset: ImageDataset): Promise<readonly Batch[]> => {
  const all: Batch[] = [];
  const transform = { kind: 'random-resized-crop', size: 32, seed: 2, scale: [0.5, 1] } as const;
  const options = { batchSize: 4, transform, seed: null, end: dataset.size, onSkip: () => assert.unreachable() };
  for await (const batch of batches(dataset, options)) all.push({ ...rightOf(batch), names: [] });
  return all;
};

test('photos in a folder, a tar and a Parquet file are the same batches', async () => {
  const folder = join(projectDir, 'assets', 'photos');
  const photos = await Promise.all(
    (await run(listImages(folder))).map(
      async (file): Promise<Photo> => ({ name: basename(file), bytes: await readFile(file), captions: [] }),
    ),
  );
  await inForms(photos, async (forms) => {
    const expected = await onePass(await run(openDataset(folder)));
    for (const form of forms) assert.equal(await onePass(form), expected, form.path);
  });
});

test('COCO’s photos and captions, packed both ways, are what they were', async () => {
  const shared = sharedDir();
  if (shared === null) return skip('COCO needs ../shared/data/coco-captions-363');
  const folder = join(shared, 'data', 'coco-captions-363');
  const source = await run(openDataset(folder));
  const few = Array.from({ length: 24 }, (_, index) => index);
  const photos = await Promise.all(
    few.map(
      async (index): Promise<Photo> => ({
        name: source.nameOf(index),
        bytes: await readFile(join(folder, source.nameOf(index))),
        captions: await run(captionsAt(source, index)),
      }),
    ),
  );
  await inForms(photos, async (forms) => {
    for (const form of forms) {
      assert.is(form.size, few.length);
      for (const index of few) {
        assert.equal(await run(captionsAt(form, index)), photos[index]!.captions);
        assert.equal(await run(form.load(index)), await run(source.load(index)), `${form.path} ${index}`);
      }
    }
  });
});

test.run();
