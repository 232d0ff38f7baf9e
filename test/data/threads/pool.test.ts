// Decoding in threads: the same pictures however many there are, and nothing left alive.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Batch, type BatchOptions, batches } from '../../../src/data/batches.ts';
import { concatDatasets } from '../../../src/data/datasets/concat.ts';
import { cached, type ImageDataset, openDataset } from '../../../src/data/datasets/index.ts';
import { renderDataError } from '../../../src/data/error.ts';
import { blank, squash, type TransformSpec } from '../../../src/data/images/index.ts';
import { inFolder, rightOf, run } from '../../support/files.ts';
import { projectDir } from '../../support/shared.ts';
import { tarOf } from '../../support/tar.ts';

const test = suite('threads');

const crop: TransformSpec = { kind: 'random-resized-crop', size: 24, seed: 3, scale: [0.3, 1] };

/** Pictures that are kept as pixels. */
const pixels: ImageDataset = {
  path: 'pixels',
  size: 3,
  nameOf: (index) => `grey-${index}`,
  labelOf: (index) => index,
  load: (index) => TE.right(blank(30, 40, [index, 2, 3])),
};

/** A tar with broken members, and pixels. */
const withMixed = (use: (dataset: ImageDataset) => Promise<void>): Promise<void> =>
  inFolder(async (folder) => {
    const photo = (name: string) => readFile(join(projectDir, 'assets', 'photos', name));
    const chelsea = await photo('chelsea.png');
    const tar = tarOf([
      ['a.png', chelsea],
      ['a.txt', 'one\ntwo\nthree'],
      ['b.jpg', 'text'],
      ['c.jpg', ''],
      ['d.png', chelsea.subarray(0, 9000)],
      ['e.jpg', await photo('china.jpg')],
      ['e.json', '{"captions": ["four", "five"]}'],
      ['f.cls', '3'],
    ]);
    await writeFile(join(folder, 'a.tar'), tar);
    await use(concatDatasets('mixed', [await run(openDataset(join(folder, 'a.tar'))), pixels]));
  });

const take = async (
  dataset: ImageDataset,
  options: Partial<BatchOptions>,
  count: number,
): Promise<{ readonly taken: readonly Batch[]; readonly skipped: readonly string[] }> => {
  const taken: Batch[] = [];
  const skipped: string[] = [];
  const all = { batchSize: 3, transform: crop, seed: 1, ...options };
  const onSkip: BatchOptions['onSkip'] = (error, total) => skipped.push(`${total}: ${renderDataError(error)}`);
  for await (const batch of batches(dataset, { ...all, onSkip })) {
    taken.push(rightOf(batch));
    if (taken.length === count) break;
  }
  return { taken, skipped };
};

test('any number of threads gives the same batches, captions and skips, also when resumed', () =>
  withMixed(async (dataset) => {
    const plan = fc.record({
      workers: fc.constantFrom(1, 2),
      batchSize: fc.constantFrom(1, 2, 5),
      prefetch: fc.nat(2),
      done: fc.constantFrom(0, 3),
      cache: fc.boolean(),
    });
    // Few runs, for a thread that is started from source takes a second.
    await fc.assert(
      fc.asyncProperty(plan, async ({ workers, batchSize, prefetch, done, cache }) => {
        const alone = await take(dataset, { batchSize }, 6);
        const source = cache ? cached(dataset, 1e6) : dataset;
        const start = alone.taken[done - 1]?.next ?? 0;
        const threaded = await take(source, { batchSize, workers, prefetch, start }, 6 - done);
        assert.equal(threaded.taken, alone.taken.slice(done));
        if (done === 0) assert.equal(threaded.skipped, alone.skipped);
      }),
      { numRuns: 4 },
    );
  }));

test('every broken member of a tar is told once, with the tar and its name', () =>
  withMixed(async (dataset) => {
    const { taken, skipped } = await take(dataset, { workers: 1, seed: null, end: dataset.size }, 99);
    assert.equal(
      taken.flatMap(({ names }) => names),
      ['a.tar/a.png', 'a.tar/e.jpg', 'grey-0', 'grey-1', 'grey-2'],
    );
    assert.equal(
      skipped.map((line) => line.replace(/: image .*\/(a.tar\/\w+(\.\w+)?): .*/, ' $1')),
      ['1 a.tar/b.jpg', '2 a.tar/c.jpg', '3 a.tar/d.png', '4 a.tar/f'],
    );
  }));

test('a thread that fails ends the batches with an error, not with fewer pictures', async () => {
  const source = batches(pixels, {
    batchSize: 2,
    transform: { kind: 'squash', size: -1 },
    workers: 2,
    seed: null,
    onSkip: () => assert.unreachable(),
  });
  const { value } = await source.next();
  assert.ok(value !== undefined && E.isLeft(value));
  assert.match(renderDataError(value.left), /^data pixels: a decoding thread failed: /);
  assert.is((await source.next()).done, true);
});

test('a function is not sent to threads', async () => {
  const options = { batchSize: 1, transform: squash(2), workers: 1, seed: null, onSkip: () => undefined };
  const thrown = await batches(pixels, options)
    .next()
    .catch((cause: unknown) => cause);
  assert.ok(thrown instanceof TypeError && /give the transform as data/.test(thrown.message));
});

/** Code, signal and output of a process that takes a batch and leaves. */
const leave = async (how: string): Promise<readonly [number | null, string | null, string]> => {
  const script = join(projectDir, 'test', 'support', 'leave-batches.ts');
  const child = spawn(process.execPath, ['--conditions=dualtoken-source', '--import', 'tsx', script, how], {
    cwd: projectDir,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => said.push(text.toString()));
  // Far longer than it takes: a process that a thread holds would never end.
  const late = setTimeout(() => child.kill('SIGKILL'), 120_000);
  const [code, signal] = await once(child, 'close');
  clearTimeout(late);
  return [code, signal, said.join('')];
};

test('a consumer that leaves early leaves no thread: it forgets the batches, or ends the process', async () => {
  assert.equal(await Promise.all(['abandon', 'exit'].map(leave)), [
    [0, null, '2\n'],
    [0, null, '2\n'],
  ]);
});

test.run();
