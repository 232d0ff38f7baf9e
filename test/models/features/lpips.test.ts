// LPIPS: a distance of 0 for equal pictures, symmetric, with the gradient of finite differences; and the published heads.
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sizeOf } from '../../../src/dsl/core/node.ts';
import { add, mul } from '../../../src/dsl/ops/elementwise.ts';
import { tensor } from '../../../src/dsl/ops/inputs.ts';
import { sum } from '../../../src/dsl/ops/reduce.ts';
import { namedSpecs } from '../../../src/dsl/param.ts';
import type { Rank4 } from '../../../src/dsl/shape.ts';
import type { Tensor } from '../../../src/dsl/tensor.ts';
import { grad } from '../../../src/dsl/transform/index.ts';
import {
  lpips,
  lpipsAlex,
  lpipsHeadNames,
  lpipsHeadsSpec,
  lpipsSqueeze,
  lpipsVgg,
  vgg16,
} from '../../../src/models/features/index.ts';
import { runGraph } from '../../../src/runtime/evaluate.ts';
import { readCase } from '../../golden/case.ts';
import { compare } from '../../golden/compare.ts';
import { lpipsHeads, lpipsVggKind } from '../../golden/kinds/lpips.ts';
import { agree } from '../../support/agree.ts';
import { wasm } from '../../support/backends.ts';
import { valuesOf } from '../../support/bound.ts';
import { close, values } from '../../support/draw.ts';
import { floats, paramsBy, paramsFrom, readTensors } from '../../support/params.ts';
import { sharedDir } from '../../support/shared.ts';
import { skip } from '../../support/skip.ts';

const test = suite('lpips');

const narrow = lpips(vgg16([4, 5, 6, 6, 8]));
/** Weights that keep the features of pictures apart (He's): of PyTorch's default ones little but biases is left. */
const drawn = (shape: readonly number[], place: number): ArrayLike<number> => {
  const scale = shape.length === 1 ? 0.1 : Math.sqrt(6 / sizeOf(shape.slice(1)));
  return values(sizeOf(shape), 20 + place).map((v) => (shape[0] === 1 ? Math.abs(v) : v * scale));
};
const params = paramsBy(narrow.spec, drawn);
const distance = narrow.apply(params);
const pictures = (seed: number): Tensor<Rank4> => {
  const [b, c, h, w]: readonly number[] = [1, 3, 16, 20];
  return tensor(Float32Array.from(values(3 * 16 * 20, seed)), [b!, c!, h!, w!]);
};
const [a, b] = [pictures(1), pictures(2)];

test('equal pictures have distance 0, and others the same both ways', () => {
  const [same, there, back] = valuesOf(distance({ a, b: a }), distance({ a, b }), distance({ a: b, b: a }));
  assert.equal([...same!], [0]);
  assert.ok(
    there!.every((d) => d > 1e-4),
    `${there}`,
  );
  assert.equal([...there!], [...back!]);
});

test('its gradient is that of finite differences', () => {
  const gradient = grad((x: Tensor<Rank4>) => sum(distance({ a, b: x })))(b);
  for (const seed of [5, 6, 7]) {
    const along = pictures(seed);
    const moved = (h: number) => sum(distance({ a, b: add(b, mul(along, h)) }));
    const [slope, above, below] = valuesOf(sum(mul(gradient, along)), moved(1e-6), moved(-1e-6));
    close(slope!, [(above![0]! - below![0]!) / 2e-6], 1e-5);
  }
});

test('every backend agrees', async () => {
  const each = distance({ a, b });
  const gradient = grad((x: Tensor<Rank4>) => sum(distance({ a, b: x })))(b);
  await agree([each.node, gradient.node], { labels: ['distance', 'gradient'] });
});

test('positions without features have a finite gradient', async () => {
  // Convolutions of weight 0 and bias -1, and heads of weight 1.
  const dead = paramsBy(narrow.spec, (shape) => {
    const fill = shape.length === 1 ? -1 : shape[0] === 1 ? 1 : 0;
    return new Float32Array(sizeOf(shape)).fill(fill);
  });
  const of = narrow.apply(dead);
  const roots = [of({ a, b }).node, grad((x: Tensor<Rank4>) => sum(of({ a, b: x })))(b).node];
  for (const result of await runGraph(await wasm(), roots)) assert.ok(Array.from(result.data).every((v) => v === 0));
});

test('parameters have the published names', () => {
  const names = (spec: unknown) => namedSpecs(spec).map(({ path, spec: { shape } }) => `${path} [${shape}]`);
  const [vgg, alex, squeeze] = [lpipsVgg, lpipsAlex, lpipsSqueeze].map((make) => names(make().spec));
  assert.is(vgg!.length, 2 * 13 + 5);
  for (const name of ['net.features.28.weight [512,512,3,3]', 'lin0.model.1.weight [1,64,1,1]'])
    assert.ok(vgg!.includes(name), name);
  assert.ok(alex!.includes('net.features.3.weight [192,64,5,5]'));
  assert.ok(squeeze!.includes('net.features.12.expand3x3.weight [256,64,3,3]'));
});

const path = lpipsHeads();
if (path === null) skip('the published heads of LPIPS are in the shared folder, which is not here');
else {
  test('the published heads fit all three backbones, and weigh nothing below 0', async () => {
    const stored = await readTensors(path);
    for (const [net, make] of [
      ['vgg', lpipsVgg],
      ['alex', lpipsAlex],
      ['squeeze', lpipsSqueeze],
    ] as const) {
      const widths = namedSpecs(make().spec).flatMap(({ path: at, spec }) =>
        at.startsWith('lin') ? [spec.shape[1]!] : [],
      );
      paramsFrom(lpipsHeadsSpec(widths), stored, lpipsHeadNames(net));
    }
    for (const t of stored.values()) assert.ok(floats(t).every((w) => w >= 0));
  });

  test('the golden case: its distances, and the gradient in norm', async () => {
    const c = await readCase(join(sharedDir()!, 'golden', 'lpips-vgg'));
    const backend = await wasm();
    const got = await lpipsVggKind(c, async (outputs) => {
      const names = Object.keys(outputs);
      const results = await runGraph(
        backend,
        names.map((name) => outputs[name]!.node),
      );
      return new Map(names.map((name, i) => [name, results[i]!]));
    });
    const verdict = compare(new Map([['distance', c.outputs.get('distance')!]]), got, c.atol, c.rtol);
    assert.ok(verdict.passed, verdict.where);
    // Element by element, the gradient depends on which side of 0 a few sums of ReLU's lie that are 0 but for rounding: PyTorch's own
    // differs as much between processors, and from that in doubles.
    const [want, have] = [floats(c.outputs.get('grad.b')!), got.get('grad.b')!.data];
    const norm = (of: (i: number) => number) => Math.hypot(...Array.from(want, (_, i) => of(i)));
    assert.ok(norm((i) => have[i]! - want[i]!) < c.rtol * norm((i) => want[i]!));
  });
}

test.run();
