// Steps of both sides: micro-batches are one large batch, the discriminator waits for its start, and a step that gives no number
// changes nothing and names its operation.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { NamedTensors } from '../../../src/checkpoints/named-tensors.ts';
import { readAll } from '../../../src/checkpoints/source.ts';
import { noCache } from '../../../src/compiler/cache/cache.ts';
import { scalar } from '../../../src/dsl/ops/create.ts';
import { add, div, mul, square } from '../../../src/dsl/ops/elementwise.ts';
import { mean } from '../../../src/dsl/ops/reduce.ts';
import type { Rank4 } from '../../../src/dsl/shape.ts';
import type { ScalarTensor, Tensor } from '../../../src/dsl/tensor.ts';
import { RunFailure } from '../../../src/runtime/error.ts';
import { openRuntime, type Runtime } from '../../../src/runtime/runtime.ts';
import type { ImageBatch } from '../../../src/train/trainer/round.ts';
import { openTrainer, type Trainer } from '../../../src/train/trainer/trainer.ts';
import { tinyBatch, tinyContest } from '../../support/tiny-task.ts';

const test = suite('turns');
const optimizer = { betas: [0.9, 0.99], eps: 1e-8, weightDecay: 0.01, clip: 1 } as const;
const adversary = { ...optimizer, kind: 'adam', weightDecay: 0, clip: null } as const;
const options = { optimizer, adversary, seed: 7 } as const;
const rates = { learningRate: 0.01, adversary: 0.02 };
const isRival = (name: string) => name.startsWith('adversary.');

/** One for all tests, so that kernels they share are compiled once. */
let opened: Promise<Runtime> | null = null;
const withRuntime = (name: string, body: (runtime: Runtime) => Promise<void>): void => {
  test(name, async () => {
    opened ??= openRuntime({ backend: 'wasm', cache: noCache });
    await body(await opened);
  });
};
test.after(async () => (await opened)?.close());
/** Names of tensors whose bits differ. */
const changed = (a: NamedTensors, b: NamedTensors): readonly string[] => {
  assert.equal([...a.keys()], [...b.keys()]);
  return [...a].flatMap(([name, { data }]) => (data.every((x, i) => Object.is(x, b.get(name)!.data[i])) ? [] : [name]));
};
const joined = (batches: readonly ImageBatch[]): ImageBatch => ({
  ...batches[0]!,
  images: Float32Array.from(batches.flatMap(({ images }) => [...images])),
  count: batches.reduce((n, { count }) => n + count, 0),
});
const black: ImageBatch = { ...tinyBatch(0), images: new Float32Array(3 * 48) };

withRuntime('micro-batches make the step of one large batch, on both sides', async (runtime) => {
  const task = tinyContest(0, 0);
  // Adam divides by the gradients' size: with this eps the rounding of small ones does not show in the parameters.
  const calm = { ...options, optimizer: { ...optimizer, eps: 0.01 }, adversary: { ...adversary, eps: 0.01 }, ema: 0.9 };
  const apart = await openTrainer(runtime, task, { ...calm, microBatches: 3 });
  const whole = await openTrainer(runtime, task, calm);
  for (let step = 0; step < 3; step++) {
    const batches = [0, 1, 2].map((i) => tinyBatch(3 * step + i));
    const [a, b] = [await apart.step(batches, step, rates), await whole.step([joined(batches)], step, rates)];
    assert.equal(Object.keys(a.terms), Object.keys(b.terms));
    for (const [x, y] of [
      [a.loss, b.loss],
      [a.gradNorm, b.gradNorm],
      ...Object.keys(a.terms).map((k) => [a.terms[k]!, b.terms[k]!]),
    ])
      assert.ok(Math.abs(x! - y!) < 1e-5, `${x} and ${y}`);
  }
  const [a, b] = [await readAll(apart.snapshot()), await readAll(whole.snapshot())];
  for (const [name, { data }] of a) {
    // A running mean moves with every forward.
    if (name.includes('state.')) continue;
    for (const [i, x] of data.entries()) {
      const other = b.get(name)!.data[i]!;
      assert.ok(Math.abs(x - other) < 1e-6, `${name} ${i}: ${x} and ${other}`);
    }
  }
});

for (const microBatches of [1, 2])
  withRuntime(`before its start nothing of the discriminator changes (${microBatches} a step)`, async (runtime) => {
    const trainer = await openTrainer(runtime, tinyContest(2), { ...options, microBatches });
    const step = (n: number) =>
      trainer.step(
        Array.from({ length: microBatches }, (_, i) => tinyBatch(n * 2 + i)),
        n,
        rates,
      );
    const start = await readAll(trainer.snapshot());
    for (const n of [0, 1]) {
      const { terms } = await step(n);
      assert.equal(Object.keys(terms), ['pixel', 'distil']);
    }
    const before = await readAll(trainer.snapshot());
    assert.equal(changed(start, before).filter(isRival), []);
    const { terms } = await step(2);
    assert.equal(Object.keys(terms), [
      'pixel',
      'distil',
      'generator',
      'adversary.loss',
      'adversary.gradNorm',
      'adversary.real',
    ]);
    const own = [...start.keys()].filter(isRival);
    assert.is(own.length, 7);
    assert.equal(changed(before, await readAll(trainer.snapshot())).filter(isRival), own);
  });

withRuntime('the mean of the weights follows them', async (runtime) => {
  const trainer = await openTrainer(runtime, tinyContest(), { ...options, ema: 0.75 });
  let before = await readAll(trainer.snapshot());
  const names = [...before.keys()].filter((name) => before.has(`ema.${name}`));
  assert.is(names.length, 9);
  for (const name of names) assert.equal(before.get(`ema.${name}`)!.data, before.get(name)!.data);
  for (let n = 0; n < 3; n++) {
    await trainer.step([tinyBatch(n)], n, rates);
    const now = await readAll(trainer.snapshot());
    for (const name of names)
      now.get(`ema.${name}`)!.data.forEach((x, i) => {
        const wanted = 0.75 * before.get(`ema.${name}`)!.data[i]! + 0.25 * now.get(name)!.data[i]!;
        assert.ok(Math.abs(x - wanted) < 1e-7, `${name} ${i}`);
      });
    before = now;
  }
});

/** 1 / mean(x^2): infinite for black pictures. */
const brightness = (x: Tensor<Rank4>): ScalarTensor => div(scalar(1), mean(square(x)));
const ownFault = () => {
  const task = tinyContest();
  const loss: typeof task.loss = (p, inputs) => {
    const made = task.loss(p, inputs);
    return { ...made, total: add(made.total, mul(brightness(inputs.batch.images), 1e-9)) };
  };
  return { ...task, loss };
};
const rivalFault = () => {
  const task = tinyContest();
  const { adversary: rival } = task;
  if (rival === null) throw new Error('it has a discriminator');
  const loss: typeof rival.loss = (p, inputs) => {
    const made = rival.loss(p, inputs);
    return { ...made, total: add(made.total, mul(brightness(inputs.pair.real), 1e-9)) };
  };
  return { ...task, adversary: { ...rival, loss } };
};
/** What the debug mode says of a step: it must find something. */
const found = async (trainer: Trainer, batches: readonly ImageBatch[], step: number): Promise<string> => {
  const thrown = await trainer.diagnose(batches, step, rates).then(
    () => null,
    (e: unknown) => e,
  );
  assert.instance(thrown, RunFailure);
  return String(thrown);
};

for (const microBatches of [1, 2])
  withRuntime(
    `a loss that is no number changes nothing, and its operation is named (${microBatches} a step)`,
    async (runtime) => {
      const open = () => openTrainer(runtime, ownFault(), { ...options, microBatches, ema: 0.9 });
      const batches = (n: number) => [tinyBatch(2 * n), tinyBatch(2 * n + 1)].slice(0, microBatches);
      const [hurt, well] = [await open(), await open()];
      for (const trainer of [hurt, well]) await trainer.step(batches(0), 0, rates);
      const before = await readAll(hurt.snapshot());
      // The last of the step's batches is the one that breaks it.
      const broken = [...batches(1).slice(1), black];
      const { loss, terms } = await hurt.step(broken, 1, rates);
      assert.not(Number.isFinite(loss));
      assert.ok(Number.isFinite(terms.pixel));
      assert.equal(
        changed(before, await readAll(hurt.snapshot())).filter((name) => !isRival(name)),
        [],
      );
      const message = await found(hurt, broken, 1);
      assert.match(message, /div f32\[\] has 1 of 1 values infinite or NaN/);
      assert.match(message, /from test\/train\/trainer\/turn\.test\.ts:\d+/);
      assert.equal(
        changed(before, await readAll(hurt.snapshot())).filter((name) => !isRival(name)),
        [],
      );
    },
  );

for (const microBatches of [1, 2])
  withRuntime(`so it is with the discriminator's (${microBatches} a step)`, async (runtime) => {
    const trainer = await openTrainer(runtime, rivalFault(), { ...options, microBatches });
    await trainer.step([tinyBatch(0), tinyBatch(1)].slice(0, microBatches), 0, rates);
    const before = await readAll(trainer.snapshot());
    const broken = [tinyBatch(3), black].slice(-microBatches);
    const { loss, terms } = await trainer.step(broken, 1, rates);
    assert.ok(Number.isFinite(loss));
    assert.not(Number.isFinite(terms['adversary.loss']));
    assert.equal(changed(before, await readAll(trainer.snapshot())).filter(isRival), []);
    assert.match(
      await found(trainer, broken, 1),
      /div f32\[\] has 1 of 1 values[\s\S]*from test\/train\/trainer\/turn\.test\.ts:\d+/,
    );
    const live = runtime.stats().liveBytes;
    await trainer.free();
    assert.ok(runtime.stats().liveBytes < live);
  });

test.run();
