// Resizing of float planes against Pillow's mode F.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { z } from 'zod';
import { resizePlanes } from '../../src/data/images/resample-planes.ts';
import { projectDir } from '../support/shared.ts';

const test = suite('float planes');

const cases = z.array(
  z.object({
    width: z.int(),
    height: z.int(),
    toWidth: z.int(),
    toHeight: z.int(),
    resized: z.array(z.number()),
  }),
);

test('resizing equals Pillow: larger, smaller, one axis alone; planes do not mix', async () => {
  const file = join(projectDir, 'test', 'data', 'pillow', 'floats.json');
  for (const { width, height, toWidth, toHeight, resized } of cases.parse(JSON.parse(await readFile(file, 'utf8')))) {
    const plane = Float32Array.from({ length: width * height }, (_, i) => (Math.sin(i * 12.9898) * 0.5 + 0.5) * 255);
    const values = Float32Array.of(...plane, ...plane.map((x) => -x));
    const made = resizePlanes({ planes: 2, height, width, values }, toWidth, toHeight);
    assert.equal(
      [made.planes, made.height, made.width, made.values.length],
      [2, toHeight, toWidth, 2 * resized.length],
    );
    resized.forEach((want, i) => {
      assert.ok(Math.abs(made.values[i]! - want) < 1e-4, `${made.values[i]} against ${want}`);
      assert.is(made.values[resized.length + i], -made.values[i]!);
    });
  }
});

test.run();
