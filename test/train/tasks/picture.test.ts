// The loss of a painted picture against its plain form: the adaptive weight by both whole gradients, the total's gradient by differences.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sizeOf } from '../../../src/dsl/core/node.ts';
import { conv2d } from '../../../src/dsl/ops/conv.ts';
import { add, mul, tanh } from '../../../src/dsl/ops/elementwise.ts';
import { tensor } from '../../../src/dsl/ops/inputs.ts';
import { key } from '../../../src/dsl/ops/random.ts';
import { mean } from '../../../src/dsl/ops/reduce.ts';
import type { Rank4 } from '../../../src/dsl/shape.ts';
import { type ScalarTensor, type Tensor, unwrap, wrap } from '../../../src/dsl/tensor.ts';
import { grad } from '../../../src/dsl/transform/index.ts';
import { lpips, vgg16 } from '../../../src/models/features/index.ts';
import { type LossOf, pixelDistance } from '../../../src/models/losses/index.ts';
import { runGraph } from '../../../src/runtime/evaluate.ts';
import { adversaryOf, generatorTerm } from '../../../src/train/tasks/adversary.ts';
import { pictureLoss } from '../../../src/train/tasks/picture.ts';
import { forEachBackend } from '../../support/backends.ts';
import { valuesOf } from '../../support/bound.ts';
import { close, values } from '../../support/draw.ts';
import { leaf } from '../../support/finite.ts';
import { interpret } from '../../support/interpret.ts';
import { paramsBy } from '../../support/params.ts';

const test = suite('losses of a picture');

type Maps = Tensor<Rank4>;
const maps = (shape: Rank4, seed: number): Maps => tensor(Float32Array.from(values(sizeOf(shape), seed)), shape);
/** He's weights: they keep features apart. */
const drawn =
  (seed: number) =>
  (shape: readonly number[], place: number): ArrayLike<number> => {
    const by = shape.length === 1 ? 0.1 : Math.sqrt(6 / sizeOf(shape.slice(1)));
    return values(sizeOf(shape), seed + place).map((v) => (shape[0] === 1 ? Math.abs(v) : v * by));
  };

const pixel: LossOf<'pixel'> = { kind: 'pixel', weight: 10 };
const perceptual: LossOf<'perceptual'> = { kind: 'perceptual', weight: 1.5, net: 'lpips-vgg' };
const adversarial: LossOf<'adversarial'> = { kind: 'adversarial', weight: 0.75, channels: 4, adaptive: [1e-6, 1e6] };

const narrow = lpips(vgg16([4, 5, 6, 6, 8]));
const net = narrow.apply(paramsBy(narrow.spec, drawn(20)));
const rival = {
  params: paramsBy(adversaryOf(adversarial).spec, drawn(60)),
  extra: adversaryOf(adversarial).initExtra(key(0)),
};
const image = maps([2, 3, 16, 16], 1);
const features = maps([2, 4, 16, 16], 2);
const last = mul(maps([3, 4, 3, 3], 3), 0.4);

/** What a decoder paints with its last convolution. */
const painter = (hidden: Maps) => (weight: Maps) => tanh(conv2d(hidden, weight, { padding: 1 }));
const lossOf = (weight: Maps, hidden: Maps, loss = adversarial, plays = true, looks = true) => {
  const paint = painter(hidden);
  return pictureLoss(
    { pixel, perceptual: looks ? perceptual : undefined, adversarial: loss },
    {
      image,
      reconstruction: paint(weight),
      perceptual: looks ? net : undefined,
      adversary: plays ? rival : null,
      last: { weight, paint },
    },
  );
};

/** The two losses that are weighed against each other, whole, as functions of the last weights. */
const reconstructionLoss = (weight: Maps): ScalarTensor => {
  const painted = painter(features)(weight);
  return add(pixelDistance('l2', painted, image), mul(mean(net({ a: painted, b: image })), perceptual.weight));
};
const generator = (weight: Maps): ScalarTensor =>
  generatorTerm(adversarial)(rival.params, rival.extra, painter(features)(weight));

const norm = (xs: ArrayLike<number>): number => Math.hypot(...Array.from(xs));
/** The adaptive weight before it is cut, of both gradients on the host. */
const ratioOf = (a: ArrayLike<number>, g: ArrayLike<number>): number => norm(a) / (norm(g) + 1e-4);
const termNamed = ({ terms }: ReturnType<typeof lossOf>, name: string): ScalarTensor => {
  const found = terms[name];
  if (found === undefined) throw new Error(`there is no term '${name}' among ${Object.keys(terms)}`);
  return found;
};

test('the adaptive weight is the quotient of the two gradients, cut to its bounds', () => {
  const weightBy = (adaptive: LossOf<'adversarial'>['adaptive']) =>
    termNamed(lossOf(last, features, { ...adversarial, adaptive }), 'generator.weight');
  const [a, g, free, usual, low, high] = valuesOf(
    grad(reconstructionLoss)(last),
    grad(generator)(last),
    weightBy([0, 1e9]),
    weightBy(undefined),
    weightBy([1e6, 1e7]),
    weightBy([0, 1e-5]),
  );
  const ratio = ratioOf(a!, g!);
  close(free!, [ratio], 1e-12);
  close(usual!, [Math.min(10, Math.max(0.3, ratio))], 1e-12);
  close(low!, [1e6]);
  close(high!, [1e-5]);
});

forEachBackend(test, 'the adaptive weight of pixels and generator', async (backend) => {
  const made = lossOf(last, features, adversarial, true, false);
  const pixels = (weight: Maps): ScalarTensor => pixelDistance('l2', painter(features)(weight), image);
  const roots = [grad(pixels)(last), grad(generator)(last), termNamed(made, 'generator.weight')];
  const [a, g, weight] = await runGraph(backend, roots.map(unwrap));
  const ratio = ratioOf(a!.data, g!.data);
  assert.ok(Math.abs(weight!.data[0]! / ratio - 1) < 1e-4, `${weight!.data[0]}, both gradients have ${ratio}`);
});

test('the losses add up with their weights; without a discriminator to play, and without an adaptive weight, too', () => {
  const made = lossOf(last, features);
  const fixed = lossOf(last, features, { ...adversarial, adaptive: null });
  const early = lossOf(last, features, adversarial, false);
  assert.equal(Object.keys(made.terms), ['pixel', 'perceptual', 'generator', 'generator.weight']);
  assert.equal(Object.keys(fixed.terms), ['pixel', 'perceptual', 'generator']);
  assert.equal(Object.keys(early.terms), ['pixel', 'perceptual']);
  const numbers = ['pixel', 'perceptual', 'generator', 'generator.weight'].map((name) => termNamed(made, name));
  const [total, constant, alone, ...terms] = valuesOf(made.total, fixed.total, early.total, ...numbers);
  const [p, f, g, w] = terms.map(([x]) => x!);
  close(total!, [10 * p! + 1.5 * f! + 0.75 * w! * g!], 1e-12);
  close(constant!, [10 * p! + 1.5 * f! + 0.75 * g!], 1e-12);
  close(alone!, [10 * p! + 1.5 * f!], 1e-12);
});

test('the gradient is that of finite differences, the adaptive weight held', () => {
  const [weights, hidden] = [leaf([3, 4, 3, 3]), leaf([2, 4, 16, 16])];
  const at = (step: number, direction: readonly Float64Array[]) =>
    new Map(
      [weights, hidden].map(({ node, at: x }, i) => {
        if (node.op.kind !== 'input') throw new Error('not an input');
        return [node.op.slot, x.map((v, j) => v + step * direction[i]![j]!)] as const;
      }),
    );
  const made = lossOf(wrap(weights.node), wrap(hidden.node));
  const names = ['pixel', 'perceptual', 'generator', 'generator.weight'];
  const terms = names.map((name) => unwrap(termNamed(made, name)));
  const grads = grad(({ w, h }: { readonly w: Maps; readonly h: Maps }) => lossOf(w, h).total)({
    w: wrap<Rank4, 'f32'>(weights.node),
    h: wrap<Rank4, 'f32'>(hidden.node),
  });
  const none = [weights, hidden].map(({ at: x }) => new Float64Array(x.length));
  const [byWeights, byHidden, held] = interpret([unwrap(grads.w), unwrap(grads.h), terms[3]!], at(0, none));
  const plain = (step: number, direction: readonly Float64Array[]): number => {
    const [p, f, g] = interpret(terms.slice(0, 3), at(step, direction)).map(([x]) => x!);
    return 10 * p! + 1.5 * f! + 0.75 * held![0]! * g!;
  };
  const [h, dot] = [1e-6, (x: Float64Array, y: Float64Array) => x.reduce((s, v, i) => s + v * y[i]!, 0)];
  for (const seed of [1, 2, 3, 4]) {
    // By the weights alone, by the features alone, then along both.
    const direction = [weights, hidden].map(({ at: x }, i) =>
      seed === 2 - i ? new Float64Array(x.length) : values(x.length, 100 * seed + i),
    );
    const slope = dot(byWeights!, direction[0]!) + dot(byHidden!, direction[1]!);
    close([(plain(h, direction) - plain(-h, direction)) / (2 * h)], [slope], 1e-6);
  }
});

test.run();
