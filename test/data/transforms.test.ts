// Resizing against Pillow's own output, random crops, and the way to floats and back.
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { renderDataError } from '../../src/data/error.ts';
import {
  blank,
  centreCrop,
  clipNormalisation,
  crop,
  enlarge,
  fromChannels,
  type Picture,
  randomResizedCrop,
  readImage,
  resize,
  squash,
  stackChannels,
  toChannels,
  transformOf,
} from '../../src/data/images/index.ts';
import { randomBox } from '../../src/data/images/transforms.ts';
import { random } from '../../src/data/random.ts';
import { leftOf, rightOf, run } from '../support/files.ts';
import { projectDir } from '../support/shared.ts';

const test = suite('image transforms');
const chelsea = () => run(readImage(join(projectDir, 'assets', 'photos', 'chelsea.png')));
const pillow = (name: string) => run(readImage(join(projectDir, 'test', 'data', 'pillow', `${name}.png`)));

const same = (actual: Picture, expected: Picture): void => {
  assert.equal([actual.width, actual.height], [expected.width, expected.height]);
  assert.is(Buffer.compare(actual.data, expected.data), 0, 'pixels differ');
};

test('squash and centre crop equal Pillow to the bit', async () => {
  same(squash(64)(await chelsea(), 0), await pillow('squash-64'));
  same(centreCrop(72)(await chelsea(), 0), await pillow('centre-crop-72'));
  same(centreCrop(64, { shorter: 72, filter: 'bilinear' })(await chelsea(), 0), await pillow('bilinear-72-crop-64'));
});

test('crop and resize equal Pillow to the bit: smaller, larger, one axis alone', async () => {
  const cut = async (left: number, top: number, width: number, height: number, toWidth: number, toHeight: number) =>
    resize(crop(await chelsea(), { left, top, width, height }), toWidth, toHeight);
  same(await cut(101, 37, 217, 233, 48, 48), await pillow('crop-101-37-217-233-resize-48'));
  same(await cut(150, 80, 31, 23, 64, 96), await pillow('crop-150-80-31-23-resize-64-96'));
  same(await cut(150, 80, 60, 60, 60, 20), await pillow('crop-150-80-60-60-resize-60-20'));
  const piece = crop(await chelsea(), { left: 150, top: 80, width: 31, height: 23 });
  same(resize(piece, 40, 30, 'bilinear'), await pillow('crop-150-80-31-23-bilinear-40-30'));
});

test('resizing to the same size changes nothing; one colour stays one colour', async () => {
  const cat = await chelsea();
  same(resize(cat, cat.width, cat.height), cat);
  const side = fc.integer({ min: 1, max: 40 });
  fc.assert(
    fc.property(side, side, side, side, fc.nat(255), (w, h, toW, toH, grey) => {
      same(resize(blank(w, h, [grey, 7, 255]), toW, toH), blank(toW, toH, [grey, 7, 255]));
    }),
  );
});

test('centre crops are square for every shape', () => {
  const side = fc.integer({ min: 1, max: 60 });
  fc.assert(
    fc.property(side, side, side, (w, h, size) => {
      const out = centreCrop(size)(blank(w, h, [10, 20, 30]), 0);
      same(out, blank(size, size, [10, 20, 30]));
    }),
  );
});

test('a centre crop is what lies in the middle of the whole resized picture, to the bit', async () => {
  const cat = await chelsea();
  const side = fc.integer({ min: 1, max: 60 });
  fc.assert(
    fc.property(side, side, side, side, fc.constantFrom('bicubic', 'bilinear'), (w, h, size, shorter, filter) => {
      const picture = crop(cat, { left: 150, top: 80, width: w, height: h });
      const long = Math.trunc((shorter * Math.max(w, h)) / Math.min(w, h));
      const whole = w <= h ? resize(picture, shorter, long, filter) : resize(picture, long, shorter, filter);
      const even = (x: number) => (x % 1 === 0 ? x : 2 * Math.round(x / 2));
      const [left, top] = [even((whole.width - size) / 2), even((whole.height - size) / 2)];
      same(centreCrop(size, { shorter, filter })(picture, 0), crop(whole, { left, top, width: size, height: size }));
    }),
  );
});

test('of a strip only what is kept is computed', () => {
  const long = 60_000;
  const data = Uint8Array.from({ length: 2 * long * 3 }, (_, i) => (i * 7919) % 251);
  const tall = centreCrop(448)({ width: 2, height: long, data }, 0);
  // The 20 rows in the middle hold all that is kept: two of them, and what the filter reaches.
  const middle = { width: 2, height: 20, data: data.subarray((long / 2 - 10) * 6, (long / 2 + 10) * 6) };
  same(tall, centreCrop(448)(middle, 0));
  assert.equal(centreCrop(448)({ width: long, height: 2, data }, 0).width, 448);
});

test('a random crop lies inside, keeps area and ratio, and depends on seed and sample alone', async () => {
  const side = fc.integer({ min: 1, max: 500 });
  fc.assert(
    fc.property(side, side, fc.nat(), (width, height, sample) => {
      const box = randomBox(
        blank(1, 1, [0, 0, 0]) && { width, height, data: new Uint8Array(0) },
        random(1, 'crop', sample),
        [0.9, 1],
        [0.75, 4 / 3],
      );
      assert.ok(box.left >= 0 && box.top >= 0 && box.left + box.width <= width && box.top + box.height <= height);
      assert.ok(box.width >= 1 && box.height >= 1);
    }),
    { numRuns: 1000 },
  );
  const square = { width: 400, height: 400, data: new Uint8Array(0) };
  const areas = Array.from({ length: 500 }, (_, n) => randomBox(square, random(9, 'crop', n), [0.9, 1], [0.75, 4 / 3]));
  for (const { width, height } of areas) {
    assert.ok(width * height >= 0.895 * 160000 && width * height <= 160000);
    assert.ok(width / height >= 0.74 && width / height <= 1.35);
  }
  assert.ok(new Set(areas.map((box) => JSON.stringify(box))).size > 400);
  const astronaut = await run(readImage(join(projectDir, 'assets', 'photos', 'astronaut.png')));
  const crops = (seed: number, sample: number) => randomResizedCrop(32, { seed })(astronaut, sample);
  same(crops(4, 17), crops(4, 17));
  assert.not.equal(crops(4, 17).data, crops(4, 18).data);
  assert.not.equal(crops(4, 17).data, crops(5, 17).data);
});

test('a photo of 3:2 has no crop of 90 % within the ratios: as in torchvision, the middle is taken every time', () => {
  const photo = { width: 450, height: 300, data: new Uint8Array(0) };
  for (let sample = 0; sample < 100; sample++)
    assert.equal(randomBox(photo, random(1, 'crop', sample), [0.9, 1], [0.75, 4 / 3]), {
      left: 25,
      top: 0,
      width: 400,
      height: 300,
    });
});

test('a very long picture falls back to the largest centred rectangle', () => {
  const long = { width: 1000, height: 10, data: new Uint8Array(0) };
  assert.equal(randomBox(long, random(1, 'crop', 1), [0.9, 1], [0.75, 4 / 3]), {
    left: 493,
    top: 0,
    width: 13,
    height: 10,
  });
  const tall = { width: 10, height: 1000, data: new Uint8Array(0) };
  assert.equal(randomBox(tall, random(1, 'crop', 1), [0.9, 1], [0.75, 4 / 3]), {
    left: 0,
    top: 493,
    width: 10,
    height: 13,
  });
});

test('a transform as data does what its function does', async () => {
  const cat = await chelsea();
  const options = { seed: 4, scale: [0.3, 0.8], ratio: [0.5, 2] } as const;
  same(transformOf({ kind: 'squash', size: 20 })(cat, 0), squash(20)(cat, 0));
  same(transformOf({ kind: 'centre-crop', size: 20 })(cat, 0), centreCrop(20)(cat, 0));
  for (const sample of [0, 9]) {
    const given = transformOf({ kind: 'random-resized-crop', size: 20, ...options })(cat, sample);
    same(given, randomResizedCrop(20, options)(cat, sample));
    const usual = transformOf({ kind: 'random-resized-crop', size: 20, seed: 4 })(cat, sample);
    same(usual, randomResizedCrop(20, { seed: 4 })(cat, sample));
  }
});

test('floats: channels first in [-1, 1], and back to the same bytes', async () => {
  const two: Picture = { width: 2, height: 1, data: Uint8Array.of(0, 128, 255, 255, 0, 51) };
  const floats = toChannels(two);
  assert.equal(
    [...floats].map((x) => Number(x.toFixed(5))),
    [-1, 1, 0.00392, -1, 1, -0.6],
  );
  const cat = await chelsea();
  for (const normalisation of [undefined, clipNormalisation]) {
    const back = fromChannels(toChannels(cat, normalisation), { width: 451, height: 300 }, normalisation);
    same(rightOf(back), cat);
  }
  const stacked = stackChannels([two, two]);
  assert.equal(stacked.subarray(6), floats);
  same(rightOf(fromChannels(stacked, { width: 2, height: 1, offset: 6 })), two);
});

test('floats have the last bits of torchvision: 63 bytes fall short of themselves when they are cut off', () => {
  const data = Uint8Array.from({ length: 256 * 3 }, (_, i) => Math.floor(i / 3));
  const floats = toChannels({ width: 256, height: 1, data }).subarray(0, 256);
  const cut = [...floats].map((x) => Math.trunc(Math.fround(Math.fround(x + 1) * 127.5)));
  assert.ok(cut.every((byte, v) => byte === v || byte === v - 1));
  assert.is(cut.filter((byte, v) => byte < v).length, 63);
});

test('values outside are clamped; NaN and a short array are errors', () => {
  const values = Float32Array.of(-3, 3, 0, Number.POSITIVE_INFINITY, -1, 1);
  const picture = rightOf(fromChannels(values, { width: 2, height: 1 }));
  assert.equal([...picture.data], [0, 128, 0, 255, 255, 255]);
  values[4] = Number.NaN;
  const say = (width: number) => renderDataError(leftOf(fromChannels(values, { width, height: 1 })));
  assert.match(say(2), /channel 2, y 0, x 0 is NaN/);
  assert.match(say(3), /3 x 1 x 3 values from 0 on were expected, the array holds 6/);
});

test('enlarging repeats pixels', () => {
  const two: Picture = { width: 2, height: 1, data: Uint8Array.of(1, 2, 3, 4, 5, 6) };
  assert.equal([...enlarge(two, 2).data], [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6, 1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6]);
});

test.run();
