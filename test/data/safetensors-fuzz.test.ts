// Damaged files never do anything but return a SafetensorsError, or open with tensors that can all be read.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openSafetensors, type TensorData, writeSafetensors } from '../../src/data/safetensors/index.ts';
import { inFolder, run } from '../support/files.ts';
import { safetensorsBytes } from '../support/safetensors.ts';

const test = suite('safetensors, damaged');

/** True if the file opened; then all its tensors were read. */
const survives = async (path: string, bytes: Uint8Array): Promise<boolean> => {
  await writeFile(path, bytes);
  const file = await openSafetensors(path)();
  if (E.isLeft(file)) {
    assert.is(file.left._tag, 'SafetensorsError');
    return false;
  }
  for (const [name, info] of file.right.tensors)
    assert.is((await run(file.right.raw(name))).bytes.length, info.end - info.begin);
  await file.right.close();
  return true;
};

const good = async (folder: string): Promise<Uint8Array> => {
  const path = join(folder, 'good.safetensors');
  const tensors = new Map<string, TensorData>([
    ['layer.0.weight', { dtype: 'F32', shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
    ['layer.0.bias', { dtype: 'F16', shape: [2], data: Uint16Array.of(1, 2) }],
    ['ids', { dtype: 'I64', shape: [1], data: BigInt64Array.of(5n) }],
  ]);
  await run(writeSafetensors(path, tensors, { metadata: { format: 'pt' } }));
  return readFile(path);
};

test('every truncation is refused', () =>
  inFolder(async (folder) => {
    const bytes = await good(folder);
    for (let length = 0; length < bytes.length; length++)
      assert.not(await survives(join(folder, 'x.safetensors'), bytes.subarray(0, length)), `${length} bytes`);
    assert.ok(await survives(join(folder, 'x.safetensors'), bytes));
  }));

test('flipped bytes', () =>
  inFolder(async (folder) => {
    const bytes = await good(folder);
    const flips = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 })), {
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(flips, async (changes) => {
        const damaged = Uint8Array.from(bytes);
        for (const [at, mask] of changes) damaged[at] = damaged[at]! ^ mask;
        await survives(join(folder, 'x.safetensors'), damaged);
      }),
      { numRuns: 600 },
    );
  }));

test('arbitrary headers', () =>
  inFolder(async (folder) => {
    const entry = fc.record(
      {
        dtype: fc.oneof(fc.constantFrom('F32', 'I64', 'BOOL', '__proto__', 'constructor'), fc.string()),
        shape: fc.oneof(fc.array(fc.nat(4), { maxLength: 3 }), fc.jsonValue()),
        data_offsets: fc.oneof(fc.tuple(fc.nat(64), fc.nat(64)), fc.jsonValue()),
      },
      { requiredKeys: [] },
    );
    const names = fc.oneof(fc.constantFrom('a', '__proto__', '__metadata__', 'toString', ''), fc.string());
    const header = fc.oneof(fc.dictionary(names, fc.oneof(entry, fc.jsonValue())), fc.jsonValue());
    await fc.assert(
      fc.asyncProperty(header, fc.nat(64), async (value, data) => {
        await survives(join(folder, 'x.safetensors'), safetensorsBytes(JSON.stringify(value), data));
      }),
      { numRuns: 600 },
    );
  }));

test('arbitrary bytes', () =>
  inFolder(async (folder) => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), async (bytes) => {
        await survives(join(folder, 'x.safetensors'), bytes);
      }),
      { numRuns: 300 },
    );
  }));

test('a deeply nested header neither overflows nor opens', () =>
  inFolder(async (folder) => {
    const deep = `{"a":${'['.repeat(100000)}${']'.repeat(100000)}}`;
    assert.not(await survives(join(folder, 'x.safetensors'), safetensorsBytes(deep, 0)));
    const objects = `{"a":${'{"a":'.repeat(50000)}1${'}'.repeat(50000)}}`;
    assert.not(await survives(join(folder, 'x.safetensors'), safetensorsBytes(objects, 0)));
  }));

test.run();
