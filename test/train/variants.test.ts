// Every variant of mini size, shrunk, takes a training step: in doubles. Towers learn from a teacher and from captions, step by step.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { noCache } from '../../src/compiler/cache.ts';
import { isKind, sizeOf } from '../../src/dsl/core/node.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import { withSystem } from '../../src/models/systems/index.ts';
import { textOf, type Variant, variants } from '../../src/models/variants/index.ts';
import { openRuntime, type Runtime } from '../../src/runtime/runtime.ts';
import { layoutsOf } from '../../src/train/freeze.ts';
import { lossFaults } from '../../src/train/loss-faults.ts';
import { stepGraph } from '../../src/train/step-graph.ts';
import { tokenizerTask } from '../../src/train/tasks/tokenizer.ts';
import { openTrainer, type StepMetrics } from '../../src/train/trainer.ts';
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

test.run();
