// Every variant of mini size, shrunk, takes a training step: in doubles. Towers learn from a teacher and from captions, step by step.
import * as E from 'fp-ts/lib/Either.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readAll } from '../../src/checkpoints/source.ts';
import { noCache } from '../../src/compiler/cache/cache.ts';
import { isKind, sizeOf } from '../../src/dsl/core/node.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import { dualTokenSystem, withSystem } from '../../src/models/systems/index.ts';
import { mini, readVariant, textOf, type Variant, variantOf, variants } from '../../src/models/variants/index.ts';
import { openRuntime, type Runtime } from '../../src/runtime/runtime.ts';
import { lossFaults } from '../../src/train/config/loss-faults.ts';
import { fewNegatives, fewVectors } from '../../src/train/run/warnings.ts';
import { tokenizerTask } from '../../src/train/tasks/tokenizer.ts';
import { layoutsOf, stillIn } from '../../src/train/trainer/freeze.ts';
import type { StepMetrics } from '../../src/train/trainer/round.ts';
import { stepGraph } from '../../src/train/trainer/step-graph.ts';
import { openTrainer } from '../../src/train/trainer/trainer.ts';
import { tinyModel } from '../support/command.ts';
import { integers, values } from '../support/draw.ts';
import { interpret } from '../support/interpret.ts';
import { shrunk, tinySizes, tinyTeacher } from '../support/tiny-variants.ts';

const test = suite('variants in training');

const [batch, { size, words, vocabulary }] = [2, tinySizes];
const optionsOf = (variant: Variant) => ({ text: textOf(variant), teacher: tinyTeacher });
const reads = ({ losses }: Variant): boolean => losses.some(({ kind }) => kind === 'contrastive');
const slotOf = (n: Node): string => {
  if (!isKind(n, 'input')) throw new Error('not an input');
  return n.op.slot;
};

/** Captions of random words that end in the last id of all. */
const captions = (count: number, seed: number): Float64Array =>
  integers(count, vocabulary, seed).map((id, i) => (i % words === words - 1 ? vocabulary - 1 : id));
/** Values of an input of the step; of what is frozen none below 0, for variances are among it. */
const valuesFor = (n: Node, i: number): Float64Array => {
  const [slot, count] = [slotOf(n), sizeOf(n.shape)];
  if (/^[mv]\./.test(slot)) return new Float64Array(count);
  if (n.dtype === 'i32') return captions(count, i);
  if (slot.endsWith('clusterSize')) return new Float64Array(count).fill(2);
  if (slot === 'images') return values(count, i);
  return values(count, i).map((v) => 0.2 * (slot.startsWith('frozen') ? Math.abs(v) : v));
};
const scalars: Readonly<Record<string, number>> = {
  seed: 1,
  forward: 0,
  stepSize: 1e-3,
  rootCorrection: 1,
  learningRate: 1e-3,
};

for (const name of Object.keys(variants).filter((n) => n.startsWith('mini')))
  test(`${name} takes a step`, () => {
    const variant = shrunk(name);
    assert.equal(lossFaults(variant), []);
    withSystem(variant, (system) => {
      const task = tokenizerTask(system, variant.losses, optionsOf(variant));
      const sizes = { batch, size, words: reads(variant) ? words : null };
      const { inputs, outputs } = stepGraph(task, sizes, variant.freeze);
      const given = inputs.map(({ node }, i) => [slotOf(node), valuesFor(node, i)] as const);
      const bound = Object.entries(scalars).map(([slot, v]) => [slot, Float64Array.of(v)] as const);
      const made = interpret(outputs, new Map([...given, ...bound]));
      for (const [i, out] of made.entries()) assert.ok(out.every(Number.isFinite), `result ${i}`);
      // After the parameters come their first moments, a tenth of the gradients: every parameter has one.
      const { groups } = layoutsOf(task.spec, variant.freeze).params;
      const idle = groups.flatMap(({ entries }, g) =>
        entries.filter(({ offset, size: n }) =>
          made[groups.length + g]!.slice(offset, offset + n).every((v) => v === 0),
        ),
      );
      assert.equal(
        idle.map(({ path }) => path),
        [],
        'without a gradient',
      );
      // What is frozen whole learns its codebook and nothing else.
      assert.is(groups.length === 0, variant.freeze !== undefined);
      const books = given.filter(([slot]) => slot.startsWith('state.'));
      for (const [i, [slot, before]] of books.entries())
        assert.ok(
          made[3 * groups.length + i]!.some((v, j) => v !== before[j]),
          `${slot} learns`,
        );
    });
  });

let opened: Promise<Runtime> | null = null;
const runtime = (): Promise<Runtime> => {
  opened ??= openRuntime({ backend: 'wasm', cache: noCache });
  return opened;
};
test.after(async () => (await opened)?.close());

/** Metrics of some steps on one batch. */
const stepsOf = async (name: string, count: number): Promise<readonly StepMetrics[]> => {
  const variant = shrunk(name);
  const pictures = 4;
  const images = Float32Array.from(values(pictures * 3 * size * size, 9));
  const ids = Int32Array.from(captions(pictures * words, 5));
  const on = await runtime();
  return withSystem(variant, async (system) => {
    const trainer = await openTrainer(on, tokenizerTask(system, variant.losses, optionsOf(variant)), {
      optimizer: { betas: [0.9, 0.99], eps: 1e-8, weightDecay: 0, clip: 1 },
      seed: 2,
    });
    const seen: StepMetrics[] = [];
    for (let n = 0; n < count; n++) {
      const one = { images, count: pictures, height: size, width: size, ...(reads(variant) ? { ids } : {}) };
      seen.push(await trainer.step([one], n, { learningRate: 3e-3 }));
    }
    await trainer.free();
    return seen;
  });
};
const falls = (seen: readonly StepMetrics[], name: string, share: number): void => {
  const values = seen.map(({ terms }) => terms[name]!);
  assert.ok(seen.every(({ loss, gradNorm }) => Number.isFinite(loss) && gradNorm > 0));
  assert.ok(values.at(-1)! < share * values[0]!, `${name}: ${values}`);
};

test('a tower learns from its teacher: a distance of directions, 1 at first', async () => {
  const seen = await stepsOf('mini-tower', 8);
  assert.ok(Math.abs(seen[0]!.terms.teacher! - 1) < 0.2);
  assert.is(seen[0]!.loss, seen[0]!.terms.teacher!);
  falls(seen, 'teacher', 0.8);
});

test("two towers learn from captions by SigLIP's loss: at first almost no pair is taken for one", async () => {
  const seen = await stepsOf('mini-siglip', 8);
  // softplus(10) for the pair of each picture, next to nothing for the others.
  assert.ok(Math.abs(seen[0]!.terms.contrastive! - 10) < 2, `${seen[0]!.terms.contrastive}`);
  falls(seen, 'contrastive', 0.95);
});

test('one vocabulary learns from captions, beside pixels and a discriminator, by a frozen text tower', async () => {
  const seen = await stepsOf('mini-vila-u', 8);
  assert.ok(seen.every(({ terms }) => Object.values(terms).every(Number.isFinite)));
  for (const { loss, terms } of seen) {
    const { contrastive, pixel, generator, commitment, 'generator.weight': weight } = terms;
    const sum = contrastive! + pixel! + 0.75 * weight! * generator! + 0.25 * commitment!;
    assert.ok(Math.abs(loss - sum) < 1e-5 * Math.max(1, Math.abs(sum)), `${loss} and ${sum}`);
    assert.ok(terms['adversary.loss']! > 0);
  }
  falls(seen, 'contrastive', 0.99);
});

for (const microBatches of [1, 2])
  test(`a codebook that is held still keeps its bits while the other learns, ${microBatches} forwards a step`, async () => {
    const system = dualTokenSystem(variantOf(mini, tinyModel));
    const losses = [
      { kind: 'pixel', weight: 1 },
      { kind: 'commitment', weight: 1 },
    ] as const;
    const optimizer = { betas: [0.9, 0.99], eps: 1e-8, weightDecay: 0, clip: null } as const;
    const options = { optimizer, seed: 1, microBatches, freeze: ['quantizer.**', 'decoder.**'] };
    const trainer = await openTrainer(await runtime(), tokenizerTask(system, losses, { microBatches }), options);
    const before = await readAll(trainer.snapshot());
    const batch = { images: Float32Array.from(values(2 * 768, 3)), count: 2, height: 16, width: 16 };
    for (let n = 0; n < 2; n++) {
      const { terms } = await trainer.step(
        Array.from({ length: microBatches }, () => batch),
        n,
        { learningRate: 0.01 },
      );
      assert.ok(terms['usage.pixel']! > 0 && terms.commitment! > 0);
    }
    const after = await readAll(trainer.snapshot());
    await trainer.free();
    const moved = [...before].flatMap(([name, { data }]) =>
      name.startsWith('state.') && data.some((v, i) => v !== after.get(name)!.data[i]) ? [name] : [],
    );
    assert.equal(
      moved,
      ['codebook', 'embedEma', 'clusterSize'].map((part) => `state.quantizer_semantic.${part}`),
    );
  });

test('negatives within a micro-batch alone: said where a step has several', () => {
  const said = (name: string, microBatches: number) => fewNegatives(variants[name]!, { batchSize: 4, microBatches });
  for (const name of ['mini-siglip', 'mini-clip', 'mini-vila-u']) {
    assert.equal(said(name, 1), [], name);
    assert.is(said(name, 3).length, 1);
    assert.match(
      said(name, 3)[0]!,
      /^'contrastive' has negatives within one micro-batch alone: .* batchSize 4, not from all 12 /,
    );
  }
  assert.equal(said('mini', 3), []);
});

test('too few vectors: said of codebooks that replace dead codes, by how they learn', () => {
  const said = (model: Variant, count: number, ...freeze: readonly string[]) =>
    withSystem(model, (system) => fewVectors(system, count, stillIn(freeze)));
  const line = (name: string, vectors: number, codes: number) =>
    `the ${name} codebook replaces each code that none of ${vectors} vectors takes, and has ${codes} codes: many are replaced all the time. Use larger batches, or fewer codes`;
  const changed = (variant: string, quantiser: object, more: object = {}): Variant => {
    const read = readVariant({ variant, quantiser, ...more });
    if (E.isLeft(read)) throw new Error(read.left.join('; '));
    return read.right;
  };
  // 8 x 8 positions of 4 codes.
  const plain = changed('mini', { codes: 512 });
  assert.equal(said(plain, 7), [line('pixel', 448, 512), line('semantic', 448, 512)]);
  assert.equal(said(plain, 8), []);
  assert.equal(said(plain, 7, 'quantizer.**'), [line('semantic', 448, 512)]);
  assert.equal(said(changed('mini', { codes: 512, learning: 'forward' }), 2), []);
  assert.equal(said(changed('mini', { codes: 512 }, { semanticLearning: 'forward' }), 1), [
    line('pixel', 64, 512),
    line('semantic', 256, 512),
  ]);
  assert.equal(said(changed('mini', { codes: 512, restart: false }), 1), []);
  assert.equal(said(changed('mini-vila-u', { codes: 512 }), 1), [line('pixel', 64, 512)]);
  assert.is(said(changed('mini-naive-pixel', { codes: 512 }), 1).length, 1);
  // Gradients train the first two tables, and the third is signs.
  for (const name of ['mini-vqgan', 'mini-movqgan', 'mini-open-magvit2', 'mini-tower'])
    assert.equal(said(variants[name]!, 1), [], name);
});

test.run();
