// The network of the FID by its names and sizes; its values are a golden case (inception-fid). What goes into it, and its pools.
import * as E from 'fp-ts/lib/Either.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sizeOf } from '../../../src/dsl/core/node.ts';
import { tensor } from '../../../src/dsl/ops/inputs.ts';
import { countParams, namedSpecs } from '../../../src/dsl/param.ts';
import { inceptionE } from '../../../src/models/features/inception-blocks.ts';
import { cleanFidInput, inceptionV3, inceptionV3Names, pytorchFidInput } from '../../../src/models/features/index.ts';
import { matchParams } from '../../../src/models/load.ts';
import type { Maps } from '../../../src/models/nn/conv2d.ts';
import { valuesOf } from '../../support/bound.ts';
import { close } from '../../support/draw.ts';
import { paramsBy } from '../../support/params.ts';

const test = suite('inception-v3');
const { spec } = inceptionV3();

test('as many parameters as published', () => {
  const named = namedSpecs(spec);
  const of = (part: RegExp) => countParams(named.filter(({ path }) => part.test(path)).map(({ spec: s }) => s));
  const [convolutions, channels] = [of(/\.conv\.weight$/), of(/\.bn\.weight$/)];
  assert.is(named.length, 5 * 94);
  assert.is(countParams(spec), convolutions + 4 * channels);
  // pytorch-fid: 23,850,960 with 1008 classes, without statistics; Keras: 23,851,784 with 1000, without scales.
  assert.is(convolutions + 2 * channels + 1008 * 2049, 23_850_960);
  assert.is(convolutions + 3 * channels + 1000 * 2049, 23_851_784);
});

test('names are those of pytorch-fid; a classifier and its branch are left over', () => {
  const stored = new Map(namedSpecs(spec).map(({ path, spec: { shape } }) => [path, { dtype: 'F32', shape }]));
  for (const name of [
    'Conv2d_1a_3x3.conv.weight',
    'Mixed_5b.branch3x3dbl_3.bn.running_var',
    'Mixed_6e.branch7x7dbl_5.conv.weight',
    'Mixed_7c.branch_pool.bn.bias',
  ])
    assert.ok(stored.has(name), name);
  for (const name of ['fc.weight', 'AuxLogits.conv0.conv.weight', 'Mixed_5b.branch1x1.bn.num_batches_tracked'])
    stored.set(name, { dtype: 'F32', shape: [1] });
  assert.ok(E.isRight(matchParams(spec, stored, inceptionV3Names)));
  assert.ok(E.isLeft(matchParams(spec, stored)));
});

const maps = (shape: readonly [number, number, number, number], at: (i: number) => number): Maps =>
  tensor(
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => at(i)),
    [...shape],
  );
const ramp = (i: number): number => (i % 97) / 97;

test('the last block pools maxima, others averages without the border', () => {
  // Only the pooled branch is not 0: it passes one channel on as it is.
  const passing = (shape: readonly number[], place: number): ArrayLike<number> => {
    const values = new Float32Array(sizeOf(shape)).fill(place % 5 === 4 ? 1 - 0.001 : 0);
    if (place === 5 * 8) values[0] = 1;
    if (place === 5 * 8 + 1) values.fill(1);
    return values;
  };
  const x = maps([1, 3, 3, 4], ramp);
  const pooled = (last: boolean) => {
    const block = inceptionE(3, last);
    const [y] = valuesOf(block.apply(paramsBy(block.spec, passing))(x));
    const at = (2048 - 192) * 12;
    assert.ok(y!.slice(0, at).every((v) => v === 0));
    return y!.slice(at, at + 12);
  };
  const around = (f: (own: readonly number[]) => number) =>
    Array.from({ length: 12 }, (_, i) => {
      const near = (a: number, b: number) => Math.abs(a - b) <= 1;
      const own = Array.from({ length: 12 }, (_, j) => j).filter((j) => near(i >> 2, j >> 2) && near(i & 3, j & 3));
      return f(own.map((j) => j / 97));
    });
  close(
    pooled(true),
    around((own) => Math.max(...own)),
    1e-6,
  );
  close(
    pooled(false),
    around((own) => own.reduce((a, b) => a + b) / own.length),
    1e-6,
  );
});

test('pictures go in as pytorch-fid and clean-fid hand them over', () => {
  const x = maps([1, 1, 2, 2], ramp);
  const [resized] = valuesOf(pytorchFidInput(x));
  assert.is(resized!.length, 299 * 299);
  // Between two positions the values change evenly; beyond their centres the border repeats.
  const [a, b] = [0, 1 / 97];
  const at = (column: number) => Math.min(1, Math.max(0, ((column + 0.5) * 2) / 299 - 0.5));
  close(
    resized!.slice(0, 299),
    Array.from({ length: 299 }, (_, c) => 2 * (a + (b - a) * at(c)) - 1),
    1e-6,
  );
  const [bytes] = valuesOf(cleanFidInput(maps([1, 1, 2, 2], (i) => [0, 64, 255, 128.5][i]!)));
  assert.equal([...bytes!], [-1, -0.5, 127 / 128, 0.5 / 128]);
});

test.run();
