// A model that computes on the host what a test can compute too: for evaluations, which know the interface alone.
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { ImageDataset, Picture } from '../../src/data/index.ts';
import { toUnit } from '../../src/data/index.ts';
import { noCheckpoint } from '../../src/eval/evaluations/checkpoint.ts';
import type { Evaluation } from '../../src/eval/evaluations/pass.ts';
import type { EvaluatedModel, TextTower } from '../../src/eval/models/index.ts';

export const fakeSize = 12;

/** Means of the four quarters of each channel: [n, 12]. */
export const quarters = (images: Float32Array): Float32Array => {
  const half = fakeSize / 2;
  const out = new Float32Array((images.length / fakeSize ** 2) * 4);
  images.forEach((x, i) => {
    const [plane, y, column] = [Math.floor(i / fakeSize ** 2), Math.floor(i / fakeSize) % fakeSize, i % fakeSize];
    const quarter = plane * 4 + 2 * (y < half ? 0 : 1) + (column < half ? 0 : 1);
    out[quarter] = out[quarter]! + x / half ** 2;
  });
  return out;
};

/** Paints pictures a little darker, gives 3 codes of 16 a picture, and quarters as features and embedding. */
export const fakeModel: EvaluatedModel = {
  name: 'fake',
  family: 'fake',
  size: fakeSize,
  transform: { kind: 'squash', size: fakeSize },
  normalisation: toUnit,
  outputs: {
    painted: { kind: 'reconstruction' },
    words: { kind: 'codes', codes: 16 },
    quarters: { kind: 'features', width: 12 },
  },
  embedding: 'quarters',
  textTower: null,
  measure: (names) => async (images) => {
    const all = {
      painted: () => images.map((x) => 0.9 * x - 0.2),
      words: () => {
        const means = quarters(images);
        return Int32Array.from({ length: means.length / 4 }, (_, i) => Math.floor(((means[i * 4]! + 1) / 2) * 15.99));
      },
      quarters: () => quarters(images),
    };
    return Object.fromEntries(names.map((name) => [name, all[name as keyof typeof all]()]));
  },
  free: async () => {},
};

/** Embeds a text of numbers, "0.1 0.2 …", as those numbers. */
export const fakeTexts: TextTower = {
  width: 12,
  embed: async (texts) => ({
    count: texts.length,
    width: 12,
    values: Float32Array.from(texts.flatMap((text) => text.split(' ').map(Number))),
  }),
};

/** A picture of its own for each number. */
export const fakePicture = (n: number): Picture => ({
  width: 16,
  height: 14,
  data: Uint8Array.from({ length: 16 * 14 * 3 }, (_, i) => 127 + 120 * Math.sin(n * 7.3 + i * (0.01 + n / 90))),
});

/** Pictures of one data set; those in `broken` cannot be read. */
export const fakeDataset = (
  size: number,
  more: Partial<ImageDataset> = {},
  broken: readonly number[] = [],
  first = 0,
): ImageDataset => ({
  path: 'fakes',
  size,
  nameOf: (n) => `fake-${n}`,
  labelOf: () => null,
  load: (n) =>
    broken.includes(n)
      ? TE.left({ _tag: 'ImageError', path: `fake-${n}`, reason: 'it is broken' })
      : TE.right(fakePicture(first + n)),
  ...more,
});

export const evaluation = (more: Partial<Evaluation> = {}): Evaluation => ({
  model: fakeModel,
  batchSize: 4,
  workers: 0,
  limit: null,
  seed: 0,
  checkpoint: noCheckpoint,
  log: () => undefined,
  onProgress: () => undefined,
  stopped: () => false,
  ...more,
});
