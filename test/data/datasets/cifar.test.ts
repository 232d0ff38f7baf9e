import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openCifar10, openCifar100 } from '../../../src/data/datasets/cifar.ts';
import { failure, inFolder, run } from '../../support/files.ts';
import { sharedDir } from '../../support/shared.ts';
import { skip } from '../../support/skip.ts';

const test = suite('CIFAR-10');

const record = (label: number) =>
  Uint8Array.from({ length: 3073 }, (_, i) => (i === 0 ? label : ((i - 1) >> 10) * 50 + label));

test('records become pictures with labels; gzip or not; a split of several files in order', () =>
  inFolder(async (folder) => {
    await writeFile(join(folder, 'data_batch_2.bin'), record(7));
    await writeFile(join(folder, 'data_batch_1.bin.gz'), gzipSync(Buffer.concat([record(0), record(9)])));
    await writeFile(join(folder, 'test_batch.bin'), record(3));
    const train = await run(openCifar10(folder));
    assert.is(train.size, 3);
    assert.equal([0, 1, 2].map(train.labelOf), [0, 9, 7]);
    assert.equal([0, 2].map(train.nameOf), ['airplane-0', 'horse-2']);
    const picture = await run(train.load(2));
    assert.equal([picture.width, picture.height, [...picture.data.subarray(3069)]], [32, 32, [7, 57, 107]]);
    assert.is((await run(openCifar10(folder, 'test'))).size, 1);
    assert.is((await run(openCifar10(join(folder, 'test_batch.bin')))).labelOf(0), 3);
  }));

test('damaged files are named', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'test.bin');
    await writeFile(path, record(3).subarray(1));
    assert.match(
      await failure(openCifar10(path)),
      /^data .*test.bin: 3072 bytes are not whole CIFAR-10 records of 3073/,
    );
    await writeFile(path, Buffer.concat([record(3), record(10)]));
    assert.match(await failure(openCifar10(path)), /record 1 has label 10/);
    await writeFile(`${path}.gz`, gzipSync(record(3)).subarray(0, 20));
    assert.match(await failure(openCifar10(`${path}.gz`)), /test.bin.gz: cannot be decompressed/);
    assert.match(await failure(openCifar10(folder, 'train')), /holds no train files/);
    assert.match(await failure(openCifar10(join(folder, 'no'))), /^cannot read .*no: no such file/);
  }));

test('CIFAR-100 has a coarse class before the fine one, which is the label, with a name where names lie beside', () =>
  inFolder(async (folder) => {
    const records = [3, 99].map((fine) => Uint8Array.of(19, ...record(fine)));
    await writeFile(join(folder, 'train.bin'), Buffer.concat(records));
    const bare = await run(openCifar100(folder));
    assert.equal([bare.size, bare.labelOf(1), bare.nameOf(1), bare.classes], [2, 99, '99-1', undefined]);
    assert.equal((await run(bare.load(0))).data.subarray(0, 3), Uint8Array.of(3, 53, 103));
    const classes = Array.from({ length: 100 }, (_, n) => `class ${n}`);
    await writeFile(join(folder, 'fine_label_names.txt'), classes.join('\n'));
    for (const path of [folder, join(folder, 'train.bin')])
      assert.is((await run(openCifar100(path))).nameOf(0), 'class 3-0');
    assert.match(await failure(openCifar10(folder)), /train.bin: it holds CIFAR-100: open it as { kind: 'cifar100'/);
    const path = join(folder, 'data_batch_1.bin');
    await writeFile(path, record(3));
    assert.match(
      await failure(openCifar100(path)),
      /data_batch_1.bin: it holds CIFAR-10: open it as { kind: 'cifar10'/,
    );
  }));

test('without a split a folder stands for the one that it holds; of two one must be chosen', () =>
  inFolder(async (folder) => {
    await writeFile(join(folder, 'test_batch.bin'), record(3));
    assert.is((await run(openCifar10(folder, null))).labelOf(0), 3);
    await writeFile(join(folder, 'data_batch_1.bin'), record(4));
    assert.match(
      await failure(openCifar10(folder, null)),
      /holds CIFAR’s training and test pictures: choose one, as '.*test_batch\*' or '.*data_batch\*'/,
    );
    assert.is((await run(openCifar10(join(folder, 'test_batch*')))).labelOf(0), 3);
  }));

test('the real subset: 500 and 100 of each class', async () => {
  const shared = sharedDir();
  if (shared === null) return skip('CIFAR-10 needs ../shared/data/cifar10-subset');
  const folder = join(shared, 'data', 'cifar10-subset');
  for (const [split, each] of [
    ['train', 500],
    ['test', 100],
  ] as const) {
    const dataset = await run(openCifar10(folder, split));
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < dataset.size; i++) counts[dataset.labelOf(i) ?? 0]! += 1;
    assert.equal(counts, new Array(10).fill(each));
  }
});

test.run();
