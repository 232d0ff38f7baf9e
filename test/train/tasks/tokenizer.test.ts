// A tokenizer's whole loss: its terms add up, and its gradient is that of the plain sum, through quantisers, taps and both sides.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sizeOf } from '../../../src/dsl/core/node.ts';
import { initParams } from '../../../src/dsl/init.ts';
import { add, mul } from '../../../src/dsl/ops/elementwise.ts';
import { tensor } from '../../../src/dsl/ops/inputs.ts';
import { key } from '../../../src/dsl/ops/random.ts';
import { resizeBilinear } from '../../../src/dsl/ops/resize.ts';
import { isParamSpec, type ParamSpec } from '../../../src/dsl/param.ts';
import type { Rank4 } from '../../../src/dsl/shape.ts';
import { isTensor, type ScalarTensor, type Tensor, unwrap, wrap } from '../../../src/dsl/tensor.ts';
import { grad } from '../../../src/dsl/transform/index.ts';
import { flatten } from '../../../src/dsl/tree.ts';
import type { DualTokenParams } from '../../../src/models/dualtoken.ts';
import { imageNetInput, type MobileNetV2Config, mobileNetV2 } from '../../../src/models/features/index.ts';
import { type Loss, type LossOf, meanCosine, pixelDistance } from '../../../src/models/losses/index.ts';
import { dualTokenSystem, towerSystem } from '../../../src/models/systems/index.ts';
import { mini, variantOf } from '../../../src/models/variants/index.ts';
import { adversaryOf, generatorTerm } from '../../../src/train/tasks/adversary.ts';
import { tokenizerTask } from '../../../src/train/tasks/tokenizer.ts';
import { valuesOf } from '../../support/bound.ts';
import { tinyModel } from '../../support/command.ts';
import { close, values } from '../../support/draw.ts';
import { leaf } from '../../support/finite.ts';
import { interpret } from '../../support/interpret.ts';
import { paramsBy } from '../../support/params.ts';
import { tinyTeacher } from '../../support/tiny-variants.ts';

const test = suite('the loss of a tokenizer');

const adversarial: LossOf<'adversarial'> = { kind: 'adversarial', weight: 0.75, channels: 4, adaptive: [1e-6, 1e6] };
const losses: readonly Loss[] = [
  { kind: 'pixel', weight: 10 },
  adversarial,
  { kind: 'deep', weight: 5, form: 'l2-cosine' },
  { kind: 'pooled', weight: 1 },
  { kind: 'commitment', weight: 40 },
];
const system = dualTokenSystem(variantOf(mini, tinyModel));
const task = tokenizerTask(system, losses);

/** Weights near He's: they keep features apart. */
const drawn =
  (seed: number) =>
  (shape: readonly number[], place: number): Float64Array =>
    values(sizeOf(shape), seed + place).map(
      (v) => v * (shape.length === 1 ? 0.3 : Math.sqrt(3 / sizeOf(shape.slice(1)))),
    );
const leaves = flatten<ParamSpec>(task.spec, isParamSpec).leaves.map(({ path, value: { shape } }, i) => ({
  ...leaf(shape, drawn(100)(shape, i)),
  path,
}));
const params = flatten<ParamSpec>(task.spec, isParamSpec).rebuild(
  leaves.map(({ node }) => wrap(node)),
) as DualTokenParams;
const pictures: Rank4 = [2, 3, 16, 16];
const images: Tensor<Rank4> = tensor(Float32Array.from(values(2 * 3 * 256, 3)), pictures);
const books = initParams(system.stateSpec)({ key: key(2), path: '' });
const rival = {
  params: paramsBy(adversaryOf(adversarial).spec, drawn(60)),
  extra: adversaryOf(adversarial).initExtra(key(0)),
};
const inputs = {
  frozen: paramsBy(task.frozenSpec, drawn(300)),
  extra: books,
  batch: { images, ids: null },
  key: key(4),
  adversary: rival,
};

type Step = (i: number, j: number) => number;
const at = (step: Step = () => 0) =>
  new Map(
    leaves.map(({ node, at: x }, i) => {
      if (node.op.kind !== 'input') throw new Error('not an input');
      return [node.op.slot, x.map((v, j) => v + step(i, j))] as const;
    }),
  );
const made = task.loss(params, inputs);
const term = (name: string): ScalarTensor => {
  const found = made.terms[name];
  if (found === undefined) throw new Error(`there is no term '${name}' among ${Object.keys(made.terms)}`);
  return found;
};
const weights = { pixel: 10, deep: 5, pooled: 1, commitment: 40 } as const;
const plainNames = ['pixel', 'deep', 'pooled', 'commitment'] as const;
const gradients = (loss: (p: DualTokenParams) => ScalarTensor) =>
  flatten(grad(loss)(params), isTensor).leaves.map(({ value }) => unwrap(value));

test('its terms add up with their weights', () => {
  const shown = [...plainNames, 'generator', 'generator.weight'].map(term);
  const [total, ...terms] = interpret([made.total, ...shown].map(unwrap), at());
  const [p, d, o, c, g, w] = terms.map(([x]) => x!);
  close(total!, [10 * p! + 5 * d! + o! + 40 * c! + 0.75 * w! * g!], 1e-12);
  assert.ok(
    [p, d, o, c, g].every((x) => Math.abs(x!) > 1e-3),
    `${terms}`,
  );
});

test('use and perplexity of each vocabulary are those of the codes of its forward, all depths together', () => {
  const { codes } = system.forward(params, books, inputs.key, {})(images);
  for (const [name, size] of Object.entries(system.vocabularies)) {
    const logged = [term(`usage.${name}`), term(`perplexity.${name}`)].map(unwrap);
    const [usage, perplexity, chosen] = interpret([...logged, unwrap(codes[name]!)], at());
    assert.is(chosen!.length, 2 * system.grid ** 2 * system.depth);
    const shares = Array.from({ length: size }, (_, k) => chosen!.filter((c) => c === k).length / chosen!.length);
    const used = shares.filter((p) => p > 0);
    close(usage!, [used.length / size], 1e-12);
    close(perplexity!, [Math.exp(-used.reduce((h, p) => h + p * Math.log(p), 0))], 1e-9);
    assert.ok(used.length > 1, name);
  }
});

test('its gradient is that of the plain sum of its losses, the adaptive weight held', () => {
  const [held] = interpret([unwrap(term('generator.weight'))], at());
  const plain = (p: DualTokenParams): ScalarTensor => {
    const { terms } = task.loss(p, inputs);
    const { reconstruction } = system.forward(p, books, inputs.key, {})(images);
    if (reconstruction === null) throw new Error('nothing is painted');
    const parts = [
      mul(pixelDistance('l2', reconstruction, images), 10),
      mul(generatorTerm(adversarial)(rival.params, rival.extra, reconstruction), 0.75 * held![0]!),
      ...plainNames.slice(1).map((name) => mul(terms[name]!, weights[name])),
    ];
    return parts.reduce((a, b) => add(a, b));
  };
  const got = interpret(
    gradients((p) => task.loss(p, inputs).total),
    at(),
  );
  const want = interpret(gradients(plain), at());
  const largest = Math.max(...want.map((g) => g.reduce((a, b) => Math.max(a, Math.abs(b)), 0)));
  for (const [i, g] of got.entries()) {
    const furthest = g.reduce((most, v, j) => Math.max(most, Math.abs(v - want[i]![j]!)), 0);
    assert.ok(furthest < 1e-11 * largest, `${leaves[i]!.path}: ${furthest} of ${largest}`);
  }
  const still = leaves.filter((_, i) => want[i]!.every((v) => v === 0)).map(({ path }) => path);
  // A bias of all keys moves no softmax: its gradient is rounding.
  assert.equal(
    still.filter((path) => !path.endsWith('k_proj.bias')),
    [],
    'every parameter is trained',
  );
});

/** The slope of `value` along random directions of the parameters that `moves` names, by differences, and by `grads`. */
const slopes = (
  value: (step: Step) => number,
  grads: readonly Float64Array[],
  moves: (path: string) => boolean,
): void => {
  for (const seed of [1, 2]) {
    const direction = leaves.map(({ at: x, path }, i) =>
      moves(path) ? values(x.length, 1000 * seed + i) : x.map(() => 0),
    );
    const slope = direction.reduce((s, d, i) => s + d.reduce((t, v, j) => t + v * grads[i]![j]!, 0), 0);
    const h = 1e-6;
    const along = (by: number) => value((i, j) => by * direction[i]![j]!);
    close([(along(h) - along(-h)) / (2 * h)], [slope], 1e-6);
    assert.ok(Math.abs(slope) > 1e-3);
  }
};

test('by the decoder, all losses on, it is that of finite differences', () => {
  const [held, ...grads] = interpret(
    [unwrap(term('generator.weight')), ...gradients((p) => task.loss(p, inputs).total)],
    at(),
  );
  const names = [...plainNames, 'generator'].map((name) => unwrap(term(name)));
  const value = (step: Step): number => {
    const [p, d, o, c, g] = interpret(names, at(step)).map(([x]) => x!);
    return 10 * p! + 5 * d! + o! + 40 * c! + 0.75 * held![0]! * g!;
  };
  slopes(value, grads, (path) => /^(decoder|post_quant_conv|postquant_visual)\./.test(path));
});

test('by the tower, where no code stands before the losses, it is that of finite differences', () => {
  // By depth, the table that the second depth searches moves with the vectors of the first.
  const learning = variantOf(mini, { ...tinyModel, quantiser: { ...tinyModel.quantiser, learning: 'forward' } });
  const some = tokenizerTask(
    dualTokenSystem(learning),
    losses.filter(({ kind }) => kind === 'deep' || kind === 'commitment'),
  );
  const loss = (p: DualTokenParams): ScalarTensor =>
    some.loss(p, { ...inputs, frozen: paramsBy(some.frozenSpec, drawn(300)), adversary: null }).total;
  const root = unwrap(loss(params));
  slopes(
    (step) => interpret([root], at(step))[0]![0]!,
    interpret(gradients(loss), at()),
    (path) => path.startsWith('siglip_model.') || path.startsWith('prequant'),
  );
});

test("a teacher of PyTorch's sees pictures as it was trained on them", () => {
  const tower = towerSystem({ vision: { ...mini.vision, ...tinyModel.vision }, teacher: 1280 });
  const [teacher, side]: [MobileNetV2Config, number] = [{ ...tinyTeacher, tf_padding: false }, 32];
  const lesson = tokenizerTask(tower, [{ kind: 'teacher', weight: 1, net: 'mobilenet_v2', size: side }], { teacher });
  const own = paramsBy(tower.spec, drawn(500));
  // Variances are above 0; weights keep pictures apart through many layers.
  const frozen = paramsBy(lesson.frozenSpec, (shape, place) =>
    drawn(700)(shape, place).map((v) => (shape.length === 1 ? 0.5 + Math.abs(v) : 3 * v)),
  );
  const { terms } = lesson.loss(own, { ...inputs, frozen, extra: {}, adversary: null });
  const learned = tower.teacher!(own)(tower.forward(own, {}, key(4), {})(images).pooled!);
  const seen = (of: typeof images) => mobileNetV2(teacher).apply(frozen.teacher!)(of).pooled;
  const resized = resizeBilinear(images, [side, side]);
  const [told, right, wrong] = valuesOf(
    terms.teacher!,
    meanCosine(learned, seen(imageNetInput(resized))),
    meanCosine(learned, seen(resized)),
  );
  close(told!, [1 - right![0]!], 1e-6);
  assert.ok(Math.abs(right![0]! - wrong![0]!) > 1e-4, `${right} and ${wrong}`);
});

test.run();
