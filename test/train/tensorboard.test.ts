// Event files against another decoding: frames by hand, CRC-32C bit by bit, protocol buffers by their wire format.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { appendImage, appendScalars, openEvents } from '../../src/train/report/index.ts';
import { crc32c } from '../../src/train/report/tf-record.ts';
import { failure, inFolder, run } from '../support/files.ts';

const test = suite('event files');

/** CRC-32C by the polynomial's definition, most significant bit first over reflected bits. */
const slowCrc = (bytes: Uint8Array): number => {
  const reflect = (x: bigint, bits: number): bigint => {
    let out = 0n;
    for (let i = 0; i < bits; i++) if ((x >> BigInt(i)) & 1n) out |= 1n << BigInt(bits - 1 - i);
    return out;
  };
  let c = 0xffffffffn;
  for (const byte of bytes) {
    c ^= reflect(BigInt(byte), 8) << 24n;
    for (let bit = 0; bit < 8; bit++) c = c & 0x80000000n ? ((c << 1n) ^ 0x1edc6f41n) & 0xffffffffn : c << 1n;
  }
  return Number(reflect(c, 32) ^ 0xffffffffn);
};

const unmask = (stored: number): number => {
  const turned = (stored - 0xa282ead8) >>> 0;
  return ((turned >>> 17) | (turned << 15)) >>> 0;
};

/** The records of a file; fails at a wrong checksum or a record that is cut off. */
const records = (file: Buffer): Buffer[] => {
  const found: Buffer[] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at));
    assert.is(unmask(file.readUInt32LE(at + 8)), slowCrc(file.subarray(at, at + 8)));
    const data = file.subarray(at + 12, at + 12 + length);
    assert.is(unmask(file.readUInt32LE(at + 12 + length)), slowCrc(data));
    found.push(data);
    at += 16 + length;
  }
  return found;
};

type Field = number | Buffer;

/** Field number -> values, in order: varints as numbers, everything else as bytes. */
const fields = (data: Buffer): ReadonlyMap<number, readonly Field[]> => {
  const found = new Map<number, Field[]>();
  let at = 0;
  const varint = (): number => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = data[at++]!;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return Number(value);
    }
  };
  const bytes = (n: number): Buffer => {
    at += n;
    return data.subarray(at - n, at);
  };
  while (at < data.length) {
    const tag = varint();
    const value = [varint, () => bytes(8), () => bytes(varint()), null, null, () => bytes(4)][tag & 7]!();
    found.set(tag >>> 3, [...(found.get(tag >>> 3) ?? []), value]);
  }
  assert.is(at, data.length);
  return found;
};

const bytesOf = (value: Field | undefined): Buffer => {
  assert.instance(value, Buffer);
  return value as Buffer;
};

interface Decoded {
  readonly step: number;
  readonly version?: string;
  readonly session?: number;
  readonly values: ReadonlyMap<string, number | Buffer>;
}

const decode = (data: Buffer): Decoded => {
  const event = fields(data);
  const wall = bytesOf(event.get(1)?.[0]).readDoubleLE();
  assert.ok(Math.abs(wall - Date.now() / 1000) < 3600, 'seconds since 1970');
  const [version, log, summary] = [3, 7, 5].map((n) => event.get(n)?.[0]);
  const values = (summary === undefined ? [] : (fields(bytesOf(summary)).get(1) ?? [])).map((value) => {
    const of = fields(bytesOf(value));
    const simple = of.get(2)?.[0];
    return [
      bytesOf(of.get(1)?.[0]).toString(),
      simple === undefined ? bytesOf(of.get(4)?.[0]) : bytesOf(simple).readFloatLE(),
    ] as const;
  });
  return {
    step: Number(event.get(2)?.[0] ?? 0),
    ...(version === undefined ? {} : { version: bytesOf(version).toString() }),
    ...(log === undefined ? {} : { session: Number(fields(bytesOf(log)).get(1)?.[0]) }),
    values: new Map(values),
  };
};

const eventFiles = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name.startsWith('events.out.tfevents.')).sort();

const eventsIn = async (path: string): Promise<readonly Decoded[]> => records(await readFile(path)).map(decode);

/** What TensorBoard shows of a folder: a session's start takes away what was logged at its step or later. */
const shown = async (folder: string): Promise<readonly (readonly [number, number])[]> => {
  let kept: (readonly [number, number])[] = [];
  for (const name of await eventFiles(folder))
    for (const { step, session, values } of await eventsIn(join(folder, name))) {
      if (session === 1) kept = kept.filter(([at]) => at < step);
      for (const value of values.values()) if (typeof value === 'number') kept.push([step, value]);
    }
  return kept;
};

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
