// Evaluations of a model that a test can compute by hand: their figures, interruption and resumption, and what they refuse.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { squash, stackChannels } from '../../src/data/index.ts';
import {
  EvalFailure,
  EvalStopped,
  type Evaluation,
  evaluateKnn,
  evaluateProbe,
  evaluateReconstruction,
  evaluateRetrieval,
  evaluateZeroShot,
  networkOf,
  openCheckpoint,
} from '../../src/eval/evaluations/index.ts';
import {
  codeUsage,
  featureStatistics,
  frechetDistance,
  holdOut,
  linearProbe,
  psnr,
  retrieval,
  shares,
  ssim,
  unitRange,
} from '../../src/eval/index.ts';
import {
  evaluation,
  fakeDataset,
  fakeModel,
  fakePicture,
  fakeSize,
  fakeTexts,
  quarters,
} from '../support/fake-model.ts';
import { inFolder, run } from '../support/files.ts';
import { near } from '../support/near.ts';

const test = suite('evaluations');

/** Pictures as the model takes them. */
const images = (numbers: readonly number[]): Float32Array =>
  stackChannels(numbers.map((n) => squash(fakeSize)(fakePicture(n), 0)));
const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, n) => n);

const refused = async (work: Promise<unknown>, message: RegExp): Promise<void> => {
  try {
    await work;
  } catch (thrown) {
    assert.instance(thrown, EvalFailure);
    assert.match(String(thrown), message);
    return;
  }
  assert.unreachable('it should have failed');
};

const lpips = async (a: Float32Array, b: Float32Array, count: number): Promise<Float32Array> =>
  Float32Array.from({ length: count }, (_, n) => Math.abs(a[n * 432]! - b[n * 432]!));

test('reconstruction: the scorers over everything at once, whatever the batch, without what cannot be read', async () => {
  const dataset = fakeDataset(11, {}, [3]);
  const used = numbers(11).filter((n) => n !== 3);
  const original = images(used);
  // Below -1 in places: PSNR, SSIM and the networks see it cut, LPIPS as it is painted.
  const made = original.map((x) => 0.9 * x - 0.2);
  assert.ok(made.some((x) => x < -1));
  const shape = { count: 10, channels: 3, height: fakeSize, width: fakeSize };
  const [a, b] = [unitRange(original), unitRange(made)];
  const mean = (values: Float64Array) => values.reduce((sum, x) => sum + x, 0) / 10;
  const network = networkOf(fakeModel, 'quarters', 'rFD-fake');
  for (const batchSize of [1, 4, 10, 16]) {
    const skipped: string[] = [];
    const report = await evaluateReconstruction(evaluation({ batchSize, log: (line) => skipped.push(line) }), dataset, {
      lpips,
      networks: [network],
    });
    assert.equal([report.pictures, report.skipped, report.size], [10, 1, fakeSize]);
    assert.equal(skipped, ['skipped: image fake-3: it is broken']);
    near(report.psnr.mean, mean(psnr(a, b, shape)), 1e-9);
    near(report.ssim.mean, mean(ssim(a, b, shape)), 1e-9);
    const distances = await lpips(original, made, 10);
    near(report.lpips!.mean, distances.reduce((sum, x) => sum + x, 0) / 10, 1e-7);
    // The network sees 8 bits, of its own size: resized to itself.
    const stored = (x: Float32Array) =>
      quarters(
        x.map((v) => {
          const lifted = Math.fround(Math.fround(Math.min(1, Math.max(-1, v)) + 1) * 127.5);
          return (Math.trunc(lifted) / 255 - 0.5) / 0.5;
        }),
      );
    const [p, q] = [featureStatistics(stored(original), 10, 12), featureStatistics(stored(made), 10, 12)];
    const [distance] = report.distances;
    near(distance!.value, frechetDistance(p, q), 1e-6);
    assert.equal({ ...distance, value: 0 }, { name: 'rFD-fake', value: 0, pictures: 10, width: 12, enough: false });
    const words = Array.from(quarters(original))
      .filter((_, i) => i % 4 === 0)
      .map((x) => Math.floor(((x + 1) / 2) * 15.99));
    assert.equal(report.codebooks, { words: { size: 16, ...codeUsage(words, 16) } });
  }
});

/** Runs an evaluation that stops after every second batch, as often as it takes, each time with the state read from disk. */
const inPieces = async <A>(
  folder: string,
  work: (e: Evaluation) => Promise<A>,
): Promise<{ report: A; stops: number }> => {
  for (let stops = 0; ; stops++) {
    const checkpoint = await run(
      openCheckpoint({
        path: join(folder, 'state.safetensors'),
        resume: stops > 0,
        identity: { measure: 'test' },
        every: 1000,
        warn: () => assert.unreachable('the state could not be written'),
      }),
    );
    let asked = 0;
    try {
      const report = await work(evaluation({ checkpoint, stopped: () => ++asked % 2 === 0 }));
      await checkpoint.done();
      return { report, stops };
    } catch (thrown) {
      if (!(thrown instanceof EvalStopped)) throw thrown;
    }
  }
};

const labelled = (size: number, first = 0) =>
  fakeDataset(size, { labelOf: (n) => n % 3, classes: ['Red', 'green', 'sea_blue'] }, [5], first);

/** Each picture's own quarters as its captions, two with a little of another picture's. */
const captioned = (size: number) =>
  fakeDataset(
    size,
    {
      captionsOf: (n) => {
        const [own, other] = [quarters(images([n])), quarters(images([(n + 1) % size]))];
        const mixed = (by: number) => Array.from(own, (x, i) => x + by * other[i]!).join(' ');
        return TE.right(n === 2 ? [] : [mixed(0), mixed(0.3), mixed(0.9)].slice(0, 1 + (n % 3)));
      },
    },
    [5],
  );

const prompts = { classes: ['red', 'Green', 'Sea Blue', 'grey'], aliases: [], templates: ['{}', '{} '] };
/** Texts by name as the quarters of one picture. */
const colours = {
  width: 12,
  embed: async (texts: readonly string[]) => ({
    count: texts.length,
    width: 12,
    values: Float32Array.from(
      texts.flatMap((text) => [...quarters(images([prompts.classes.indexOf(text.trim())]))].map((x) => x * 2)),
    ),
  }),
};

test('an evaluation that is stopped again and again ends with the same report', async () => {
  const network = networkOf(fakeModel, 'quarters', 'rFD-fake');
  const data = { train: labelled(30), test: labelled(12, 40) };
  const kinds: Readonly<Record<string, (e: Evaluation) => Promise<unknown>>> = {
    reconstruction: (e) => evaluateReconstruction(e, fakeDataset(18, {}, [3]), { lpips, networks: [network] }),
    'zero-shot': (e) => evaluateZeroShot(e, labelled(18), prompts, colours),
    retrieval: (e) => evaluateRetrieval(e, captioned(18), fakeTexts),
    probe: (e) => evaluateProbe(e, data, 'quarters'),
    knn: (e) => evaluateKnn(e, data, 'quarters'),
    'knn of a part': (e) => evaluateKnn({ ...e, limit: 17, seed: 3 }, data, 'quarters', { neighbours: [3] }),
  };
  for (const [kind, work] of Object.entries(kinds))
    await inFolder(async (folder) => {
      const whole = await work(evaluation());
      const { report, stops } = await inPieces(folder, work);
      assert.ok(stops >= 2, `${kind} stopped ${stops} times`);
      assert.equal(report, whole, kind);
      assert.equal(await readdir(folder), [], 'the state is removed at the end');
    });
});

test('labels are looked at before anything is computed, but for pictures that cannot be read', async () => {
  const early = (): never => {
    throw new Error('labels were to be looked at first');
  };
  const unused = { width: 12, embed: early };
  const blind = { ...fakeModel, measure: () => early };
  const e = evaluation({ model: blind });
  const late = (label: number | null, broken: readonly number[] = []) =>
    fakeDataset(18, { labelOf: (n) => (n === 17 ? label : n % 3) }, broken);
  await refused(evaluateZeroShot(e, late(null), prompts, unused), /fake-17 has no class/);
  await refused(
    evaluateZeroShot(e, late(4), prompts, unused),
    /fake-17 has class 4, numbered from 0; the file of classes names 4/,
  );
  for (const data of [
    { train: late(null), test: null },
    { train: late(0), test: late(null) },
  ])
    await refused(evaluateProbe(e, data, 'quarters'), /fake-17 has no class/);
  const without = await evaluateZeroShot(evaluation(), late(null, [17]), prompts, colours);
  assert.equal([without.pictures, without.skipped], [17, 1]);
});

test('texts are compared with the feature that is named', async () => {
  const embed = async (texts: readonly string[]) => ({
    count: texts.length,
    width: 1,
    values: new Float32Array(texts.length).fill(1),
  });
  const outputs = { ...fakeModel.outputs, first: { kind: 'features', width: 1 } } as const;
  const measure = () => async (x: Float32Array) => ({ first: new Float32Array(x.length / 432).fill(1) });
  const e = evaluation({ model: { ...fakeModel, outputs, measure } });
  const texts = { width: 1, embed };
  await refused(evaluateZeroShot(e, labelled(6), prompts, texts), /in 12 values, .* in 1/);
  assert.is((await evaluateZeroShot(e, labelled(6), prompts, texts, 'first')).pictures, 5);
  const captions = fakeDataset(6, { captionsOf: () => TE.right(['x']) });
  assert.is((await evaluateRetrieval(e, captions, texts, 'first')).images, 6);
  await refused(evaluateRetrieval(e, captions, texts, 'last'), /no features 'last'; there are quarters, first/);
});

test('zero-shot: classes by name and by number, the last one of a batch too', async () => {
  const report = await evaluateZeroShot(evaluation(), labelled(18), prompts, colours);
  assert.equal([report.pictures, report.skipped, report.classes, report.templates], [17, 1, 4, 2]);
  const of = quarters(images(numbers(18)));
  const rows = numbers(18).map((n) => [...of.subarray(n * 12, (n + 1) * 12)]);
  const cosine = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, x, i) => sum + x * b[i]!, 0) / Math.hypot(...a) / Math.hypot(...b);
  const right = numbers(18).filter((n) => {
    const scores = [0, 1, 2, 3].map((c) => cosine(rows[n]!, rows[c]!));
    return n !== 5 && scores.indexOf(Math.max(...scores)) === n % 3;
  });
  near(report.top1, right.length / 17, 1e-9);
  assert.is(report.top5, 1);
  const byNumber = fakeDataset(18, { labelOf: (n) => n % 3 }, [5]);
  assert.equal(await evaluateZeroShot(evaluation(), byNumber, prompts, colours), report);
});

test('retrieval: the scorer over all captions, without pictures that have none', async () => {
  const data = captioned(18);
  const report = await evaluateRetrieval(evaluation(), data, fakeTexts);
  const used = numbers(18).filter((n) => n !== 5 && n !== 2);
  const captions = await Promise.all(used.map((n) => run(data.captionsOf!(n))));
  const texts = await fakeTexts.embed(captions.flat());
  const expected = retrieval(
    { count: 16, width: 12, values: quarters(images(used)) },
    texts,
    captions.flatMap((list, n) => list.map(() => n)),
  );
  assert.equal(report, { ...expected, skipped: 2 });
});

test('probe and k-NN: classes by name over both sets, a part held out where there is one set', async () => {
  const train = labelled(30);
  const turned = fakeDataset(30, { labelOf: (n) => [2, 0, 1][n % 3]!, classes: ['green', 'sea_blue', 'Red'] }, [5]);
  const same = await evaluateKnn(evaluation(), { train, test: turned }, 'quarters', { neighbours: [1] });
  assert.equal([same.train, same.test, same.skipped, same.classes, same.width], [29, 29, 2, 3, 12]);
  assert.equal(same.results, [{ neighbours: 1, top1: 1, top5: 1 }]);
  const alone = await evaluateProbe(evaluation(), { train, test: null }, 'quarters');
  const used = numbers(30).filter((n) => n !== 5);
  const all = { count: 29, width: 12, values: quarters(images(used)), labels: used.map((n) => n % 3) };
  const { kept, held } = holdOut(all, 0.2, 1);
  const { accuracy, ...probe } = linearProbe(kept, held, 3);
  const [top1, top5] = shares(accuracy).map(({ share }) => share);
  // Two of six: these pictures' quarters say nothing of n % 3. Of three classes all are among five.
  assert.equal([top1, top5], [2 / 6, 1]);
  const sets = { feature: 'quarters', width: 12, classes: 3, train: 23, test: 6, skipped: 1 };
  assert.equal(alone, { ...sets, ...probe, top1, top5 });
  const many = await evaluateKnn(evaluation(), { train, test: null }, 'quarters');
  assert.equal(
    many.results.map(({ neighbours }) => neighbours),
    [1, 5, 10, 20],
  );
});

test('what cannot be evaluated is one message', async () => {
  const blind = { ...fakeModel, outputs: { quarters: fakeModel.outputs.quarters! }, embedding: null };
  const nothing = { lpips: null, networks: [] };
  const small = async () => {
    throw new RangeError('LPIPS: too small');
  };
  await refused(
    evaluateReconstruction(evaluation(), fakeDataset(1), { lpips: small, networks: [] }),
    /EvalFailure: LPIPS: too small$/,
  );
  await refused(
    evaluateReconstruction(evaluation({ model: blind }), fakeDataset(3), nothing),
    /fake has no pixel decoder/,
  );
  await refused(
    evaluateReconstruction(evaluation(), fakeDataset(3, {}, [0, 1, 2]), nothing),
    /none of the 3 pictures can be used/,
  );
  await refused(
    evaluateReconstruction(evaluation({ limit: 2 }), fakeDataset(3, {}, [0, 1, 2]), nothing),
    /none of the 2 pictures of fakes/,
  );
  await refused(evaluateReconstruction(evaluation(), fakeDataset(0), nothing), /there are no pictures/);
  const network = networkOf(fakeModel, 'quarters', 'rFD-fake');
  await refused(
    evaluateReconstruction(evaluation(), fakeDataset(1), { lpips: null, networks: [network] }),
    /rFD-fake takes at least 2 pictures, there is 1/,
  );
  const broken = {
    ...fakeModel,
    measure: () => async (x: Float32Array) => ({ painted: x.fill(Number.NaN), words: Int32Array.of(1) }),
  };
  await refused(
    evaluateReconstruction(evaluation({ model: broken }), fakeDataset(2), nothing),
    /a reconstruction holds NaN/,
  );
  await refused(
    evaluateZeroShot(evaluation({ model: blind }), labelled(3), prompts, colours),
    /no embedding of pictures/,
  );
  await refused(
    evaluateZeroShot(evaluation(), fakeDataset(3), prompts, colours),
    /fake-0 has no class: .*, or bring labels from a file/,
  );
  await refused(
    evaluateZeroShot(evaluation(), labelled(3), { ...prompts, classes: ['red', 'blue'] }, colours),
    /2 of its 3 classes are not among the 2 named.*green, sea_blue/,
  );
  await refused(
    evaluateZeroShot(evaluation(), labelled(3), prompts, { ...colours, width: 5 }),
    /in 12 values, .* in 5/,
  );
  await refused(
    evaluateRetrieval(evaluation(), fakeDataset(3), fakeTexts),
    /fakes has no captions: bring them from a file/,
  );
  await refused(
    evaluateRetrieval(evaluation(), fakeDataset(3, { captionsOf: () => TE.right([]) }), fakeTexts),
    /none of the 3 pictures of fakes has a caption/,
  );
  const data = { train: labelled(12), test: null };
  await refused(evaluateProbe(evaluation(), data, 'pooled'), /no features 'pooled'; there are quarters/);
  await refused(evaluateProbe(evaluation(), { train: fakeDataset(3), test: null }, 'quarters'), /fake-0 has no class/);
  await refused(
    evaluateProbe(evaluation(), { train: labelled(3), test: null }, 'quarters'),
    /of 3 classes each has one picture/,
  );
  const other = fakeDataset(3, { labelOf: () => 0, classes: ['pink'] });
  await refused(
    evaluateProbe(evaluation(), { train: labelled(12), test: other }, 'quarters'),
    /class 'pink' is not among/,
  );
  await refused(evaluateKnn(evaluation(), data, 'quarters', { neighbours: [10] }), /10 neighbours of a bank of 8/);
  const unread = { ...evaluation(), onProgress: () => assert.unreachable('a picture was read') };
  await refused(
    evaluateKnn(unread, data, 'quarters', { neighbours: [1, 50] }),
    /50 neighbours, and 12 training pictures/,
  );
  const limited = { ...unread, limit: 6 };
  await refused(evaluateKnn(limited, data, 'quarters', { neighbours: [7] }), /7 neighbours, and 6 training pictures/);
});

test.run();
