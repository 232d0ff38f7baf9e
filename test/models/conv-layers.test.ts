// Layers of convolutional tokenizers by themselves: gradients, also by what they are conditioned on, and maps halved and doubled.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Node } from '../../src/dsl/core/types.ts';
import type { Layer } from '../../src/dsl/layer.ts';
import { tensor } from '../../src/dsl/ops/inputs.ts';
import type { Rank4 } from '../../src/dsl/shape.ts';
import { wrap } from '../../src/dsl/tensor.ts';
import { adaptiveGroupNorm } from '../../src/models/nn/adaptive-group-norm.ts';
import type { Maps } from '../../src/models/nn/conv2d.ts';
import { downsample2x } from '../../src/models/nn/downsample.ts';
import { conditionedBlock, resnetBlock } from '../../src/models/nn/resnet-block.ts';
import { conditionedAttention } from '../../src/models/nn/spatial-attention.ts';
import { type Conditioned, spatialNorm } from '../../src/models/nn/spatial-norm.ts';
import { depthToSpace2x } from '../../src/models/nn/upsample.ts';
import { valuesOf } from '../support/bound.ts';
import { checkLayer } from '../support/layer-gradients.ts';

const test = suite('layers of convolutional tokenizers');

const maps = (node: Node | undefined): Maps => wrap<Rank4, 'f32'>(node!);

const conditioned = <P>(
  name: string,
  { spec, apply }: Layer<P, Conditioned, Maps>,
  ...shapes: readonly [x: Rank4, latent: Rank4]
): void => {
  test(`gradients of the ${name}`, () =>
    checkLayer(spec, shapes, (p, x, latent) => [apply(p)({ x: maps(x), latent: maps(latent) })]));
};
conditioned('spatially conditioned norm', spatialNorm(4, 2, 2), [1, 4, 4, 6], [1, 2, 2, 3]);
conditioned('same where the latent does not divide the map', spatialNorm(2, 1, 1), [1, 2, 5, 3], [1, 1, 2, 2]);
conditioned('adaptive group norm', adaptiveGroupNorm(4, 3, 2), [2, 4, 2, 3], [2, 3, 2, 2]);
conditioned('conditioned block', conditionedBlock(2, 4, 1, { groups: 2 }), [1, 2, 3, 2], [1, 1, 1, 1]);
conditioned('conditioned attention', conditionedAttention(2, 1, 1), [1, 2, 2, 3], [1, 1, 1, 3]);

test('gradients of the block without biases', async () => {
  const { spec, apply } = resnetBlock(2, 4, { groups: 2, bias: false });
  await checkLayer(spec, [[1, 2, 3, 2]], (p, x) => [apply(p)(maps(x))]);
});

test('gradients of the way down, and maps of odd sizes', async () => {
  const { spec, apply } = downsample2x(2);
  await checkLayer(spec, [[1, 2, 4, 5]], (p, x) => {
    const y = apply(p)(maps(x));
    assert.equal(y.shape, [1, 2, 2, 2]);
    return [y];
  });
});

test('zeros lie below and to the right: the first window begins at the first pixel', () => {
  const { apply } = downsample2x(1);
  const shape: Rank4 = [1, 1, 3, 3];
  const corner = tensor(Float32Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0), shape);
  const picture: Rank4 = [1, 1, 4, 4];
  const x = tensor(
    Float32Array.from({ length: 16 }, (_, i) => i),
    picture,
  );
  const length: readonly [number] = [1];
  const [y] = valuesOf(apply({ weight: corner, bias: tensor(new Float32Array(1), length) })(x));
  assert.equal([...y!], [0, 2, 8, 10]);
});

test('channels become the pixels of a square, the square outermost', () => {
  const shape: Rank4 = [1, 8, 1, 1];
  const x = tensor(Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7), shape);
  const y = depthToSpace2x(x);
  assert.equal(y.shape, [1, 2, 2, 2]);
  // ONNX's DepthToSpace in mode DCR.
  assert.equal([...valuesOf(y)[0]!], [0, 2, 4, 6, 1, 3, 5, 7]);
});

test.run();
