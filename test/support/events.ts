// TensorBoard's event files decoded by hand: frames with their checksums, protocol buffers by their wire format.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';

/** CRC-32C by the polynomial's definition, most significant bit first over reflected bits. */
export const slowCrc = (bytes: Uint8Array): number => {
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
export const fields = (data: Buffer): ReadonlyMap<number, readonly Field[]> => {
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

export const bytesOf = (value: Field | undefined): Buffer => {
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

export const eventFiles = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name.startsWith('events.out.tfevents.')).sort();

export const eventsIn = async (path: string): Promise<readonly Decoded[]> => records(await readFile(path)).map(decode);

/** What TensorBoard shows of a folder: a session's start takes away what was logged at its step or later. */
export const shown = async (folder: string): Promise<readonly (readonly [number, number])[]> => {
  let kept: (readonly [number, number])[] = [];
  for (const name of await eventFiles(folder))
    for (const { step, session, values } of await eventsIn(join(folder, name))) {
      if (session === 1) kept = kept.filter(([at]) => at < step);
      for (const value of values.values()) if (typeof value === 'number') kept.push([step, value]);
    }
  return kept;
};
