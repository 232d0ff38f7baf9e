// Every way in which a picture arrives, and one clear error for what is not a picture.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import sharp from 'sharp';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { blank, decodeImage, type Picture, readImage, writePng } from '../../src/data/images/index.ts';
import { failure, inFolder, run } from '../support/files.ts';
import { projectDir } from '../support/shared.ts';

const test = suite('image files');
const photo = (name: string) => join(projectDir, 'assets', 'photos', name);

const raw = (values: readonly number[], width: number, channels: 1 | 2 | 3 | 4) =>
  sharp(Uint8Array.from(values), { raw: { width, height: values.length / width / channels, channels } });
const raw16 = (values: readonly number[], width: number, channels: 1 | 3) =>
  sharp(Uint16Array.from(values), { raw: { width, height: 1, channels } }).toColourspace(
    channels === 1 ? 'grey16' : 'rgb16',
  );
const pixels = async (bytes: Buffer): Promise<number[]> => [...(await run(decodeImage('x', bytes))).data];

test('photos: sizes as listed', async () => {
  const listed: unknown = JSON.parse(await readFile(photo('photos.json'), 'utf8'));
  assert.ok(Array.isArray(listed) && listed.length === 13);
  for (const { file, width, height } of listed) {
    const picture = await run(readImage(photo(file)));
    assert.equal([picture.width, picture.height, picture.data.length], [width, height, width * height * 3], file);
  }
});

test('transparency is laid on white, with and without colour', async () => {
  assert.equal(
    await pixels(await raw([255, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0, 128], 3, 4).png().toBuffer()),
    [255, 0, 0, 255, 255, 255, 127, 127, 127],
  );
  assert.equal(await pixels(await raw([9, 255, 9, 0], 2, 2).png().toBuffer()), [9, 9, 9, 255, 255, 255]);
});

test('grey, palette and 16 bits become 8-bit RGB', async () => {
  assert.equal(await pixels(await raw([0, 100], 2, 1).png().toBuffer()), [0, 0, 0, 100, 100, 100]);
  assert.equal(
    await pixels(await raw([1, 2, 3, 200, 2, 3], 2, 3).png({ palette: true }).toBuffer()),
    [1, 2, 3, 200, 2, 3],
  );
  assert.equal(
    await pixels(await raw16([0, 0x1234, 0xffff], 3, 1).png().toBuffer()),
    [0, 0, 0, 18, 18, 18, 255, 255, 255],
  );
  assert.equal(await pixels(await raw16([0x0100, 0x80ff, 0xffff], 1, 3).png().toBuffer()), [1, 128, 255]);
});

test('EXIF rotation is applied', async () => {
  const wide = raw([255, 0, 0, 0, 0, 255], 2, 3);
  const turned = await run(decodeImage('x', await wide.withMetadata({ orientation: 6 }).png().toBuffer()));
  assert.equal([turned.width, turned.height, [...turned.data]], [1, 2, [255, 0, 0, 0, 0, 255]]);
});

test('WebP and JPEG decode, by content and not by name', async () => {
  const bytes = await readFile(photo('chelsea.png'));
  for (const encoded of [
    await sharp(bytes).webp({ lossless: true }).toBuffer(),
    await sharp(bytes).jpeg().toBuffer(),
  ]) {
    const picture = await run(decodeImage('cat.txt', encoded));
    assert.equal([picture.width, picture.height], [451, 300]);
  }
});

test('a text file called .png, an empty one, a missing one, a folder', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'notes.png');
    await writeFile(path, 'not a picture at all');
    const advice = 'it must be a whole JPEG, PNG or WebP file';
    assert.is(await failure(readImage(path)), `image ${path}: cannot be decoded (this is not an image): ${advice}`);
    await writeFile(path, '');
    assert.is(await failure(readImage(path)), `image ${path}: cannot be decoded (the file is empty): ${advice}`);
    assert.is(
      await failure(readImage(join(folder, 'no'))),
      `cannot read ${join(folder, 'no')}: no such file or folder`,
    );
    assert.is(await failure(readImage(folder)), `cannot read ${folder}: this is a folder, not a file`);
  }));

test('other formats are refused by name', async () => {
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>');
  assert.match(await failure(decodeImage('a.png', svg)), /^image a.png: cannot be decoded \(the format is svg\)/);
  const gif = await raw([1, 2, 3], 1, 3).gif().toBuffer();
  assert.match(await failure(decodeImage('a.gif', gif)), /the format is gif/);
});

test('truncated photos are refused', async () => {
  const webp = await sharp(await readFile(photo('chelsea.png')))
    .webp()
    .toBuffer();
  for (const bytes of [await readFile(photo('china.jpg')), await readFile(photo('chelsea.png')), webp])
    for (const part of [0.001, 0.1, 0.5, 0.9])
      assert.match(
        await failure(decodeImage('cut', bytes.subarray(0, bytes.length * part))),
        /^image cut: cannot be decoded/,
      );
});

test('what is said of a damaged picture does not hang on those that are decoded beside it', async () => {
  const cuts = await Promise.all(
    ['china.jpg', 'chelsea.png'].map(async (name) => (await readFile(photo(name))).subarray(0, 9000)),
  );
  const told = await Promise.all(Array.from({ length: 40 }, (_, i) => failure(decodeImage('cut', cuts[i % 2]!))));
  assert.equal([...new Set(told)].length, 1);
  assert.match(told[0]!, /the data is damaged or cut off/);
});

test('damaged bytes give a picture of the right size or an image error', async () => {
  const small = await sharp(await readFile(photo('chelsea.png')))
    .resize(40, 30)
    .png()
    .toBuffer();
  const jpeg = await sharp(small).jpeg().toBuffer();
  await fc.assert(
    fc.asyncProperty(fc.boolean(), fc.nat(), fc.integer({ min: 1, max: 255 }), async (png, at, mask) => {
      const bytes = Uint8Array.from(png ? small : jpeg);
      const place = at % bytes.length;
      bytes[place] = bytes[place]! ^ mask;
      const result = await decodeImage('x', bytes)();
      if (result._tag === 'Left') assert.is(result.left._tag, 'ImageError');
      else assert.is(result.right.data.length, result.right.width * result.right.height * 3);
    }),
    { numRuns: 300 },
  );
});

test('PNG written and read back is equal', () =>
  inFolder(async (folder) => {
    const data = Uint8Array.from({ length: 5 * 3 * 3 }, (_, i) => (i * 37) % 256);
    const picture: Picture = { width: 5, height: 3, data };
    await run(writePng(join(folder, 'out', 'a.png'), picture));
    assert.equal([...(await run(readImage(join(folder, 'out', 'a.png')))).data], [...data]);
    await writeFile(join(folder, 'file'), '');
    const path = join(folder, 'file', 'a.png');
    assert.match(await failure(writePng(path, blank(1, 1, [0, 0, 0]))), new RegExp(`^cannot write ${path}`));
  }));

test.run();
