// Event files against another decoding: frames by hand, CRC-32C bit by bit, protocol buffers by their wire format.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { appendImage, appendScalars, openEvents } from '../../../src/train/report/index.ts';
import { crc32c } from '../../../src/train/report/tf-record.ts';
import { bytesOf, eventFiles, eventsIn, fields, shown, slowCrc } from '../../support/events.ts';
import { failure, inFolder, run } from '../../support/files.ts';

const test = suite('event files');

test('CRC-32C of known strings, and of others as the definition has it', () => {
  assert.is(crc32c(Buffer.from('123456789')), 0xe3069283);
  assert.is(crc32c(new Uint8Array(32)), 0x8a9136aa);
  const bytes = Uint8Array.from({ length: 1000 }, (_, i) => (i * i * 31 + 7 * i) & 255);
  for (const n of [0, 1, 7, 300, 1000]) assert.is(crc32c(bytes.subarray(0, n)), slowCrc(bytes.subarray(0, n)));
});

test('scalars by step, with their tags in groups, and steps beyond 32 bits', () =>
  inFolder(async (folder) => {
    const path = await run(openEvents(folder, 0));
    await run(appendScalars(path, 1, { loss: 0.1, 'usage.pixel': 12.5, 'usage.semantic.0': -3 }));
    await run(appendScalars(path, 5_000_000_000, { loss: Number.NaN }));
    const [version, start, first, far, ...more] = await eventsIn(path);
    assert.is(version!.version, 'brain.Event:2');
    assert.equal([start!.session, start!.step], [1, 0]);
    assert.is(first!.step, 1);
    assert.equal(
      [...first!.values],
      [
        ['loss', Math.fround(0.1)],
        ['usage/pixel', 12.5],
        ['usage/semantic.0', -3],
      ],
    );
    assert.is(far!.step, 5_000_000_000);
    assert.ok(Number.isNaN(far!.values.get('loss')));
    assert.equal(more, []);
  }));

test('a picture is its PNG file, with its size', () =>
  inFolder(async (folder) => {
    const png = await sharp({ create: { width: 300, height: 7, channels: 3, background: '#a05010' } })
      .png()
      .toBuffer();
    const path = await run(openEvents(folder, 0));
    await run(appendImage(path, 3, 'reconstructions', png));
    const { step, values } = (await eventsIn(path)).at(-1)!;
    assert.is(step, 3);
    const image = fields(bytesOf(values.get('reconstructions')));
    assert.equal(
      [1, 2, 3].map((n) => image.get(n)?.[0]),
      [7, 300, 3],
    );
    assert.ok(bytesOf(image.get(4)?.[0]).equals(png));
  }));

test('each sitting has a file that is read after the others, and takes back what came after its checkpoint', () =>
  inFolder(async (folder) => {
    const log = async (path: string, from: number, to: number, sitting: number) => {
      for (let step = from; step <= to; step++) await run(appendScalars(path, step, { loss: sitting + step / 100 }));
    };
    const first = await run(openEvents(folder, 0));
    await log(first, 1, 5, 1);
    const second = await run(openEvents(folder, 3));
    await log(second, 4, 6, 2);
    const third = await run(openEvents(folder, 6));
    await log(third, 7, 7, 3);
    assert.equal(
      (await eventFiles(folder)).map((name) => join(folder, name)),
      [first, second, third],
    );
    assert.equal(
      (await shown(folder)).map(([step, value]) => [step, Math.floor(value)]),
      [
        [1, 1],
        [2, 1],
        [3, 1],
        [4, 2],
        [5, 2],
        [6, 2],
        [7, 3],
      ],
    );
  }));

test('a folder that cannot be written is named', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    assert.match(
      await failure(openEvents(join(file, 'run'), 0)),
      /cannot write .*run: a file of that name is in the way/,
    );
  }));

test.run();
