// Layers from named parts: parameter names, module paths, and parts without parameters.

import { pipe } from 'fp-ts/lib/function.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compose, seq, times } from '../../src/dsl/compose.ts';
import { initParams, onesInit } from '../../src/dsl/init.ts';
import { relu } from '../../src/dsl/ops/activations.ts';
import { add } from '../../src/dsl/ops/elementwise.ts';
import { data } from '../../src/dsl/ops/inputs.ts';
import { broadcastLike } from '../../src/dsl/ops/movement.ts';
import { key } from '../../src/dsl/ops/random.ts';
import { namedSpecs, weight } from '../../src/dsl/param.ts';
import { linear, type Tokens } from '../../src/models/nn/linear.ts';
import { layerNorm } from '../../src/models/nn/norm.ts';

const test = suite('compose');
const width: number = 4;
const block = () =>
  compose(
    { norm: layerNorm(width, 1e-6), out: linear(width, width, { bias: false }) },
    (m) => (x: Tokens) => add(x, pipe(x, m.norm, m.out)),
  );
const model = compose(
  {
    scale: weight([width], onesInit),
    encoder: { layers: times(2, block) },
    head: seq(linear(width, 3), relu, linear(3, width)),
    missing: undefined,
  },
  (m) => (x: Tokens) =>
    pipe(
      m.encoder.layers.reduce((y, f) => f(y), x),
      (y) => add(y, broadcastLike(m.scale, y)),
      m.head,
    ),
);
const [batch, length]: readonly number[] = [2, 5];
const x = data('x', [batch!, length!, width]);
const y = model.apply(initParams(model.spec)({ key: key(1), path: '' }))(x);

test('parameters lie under the names of the parts', () => {
  assert.equal(
    namedSpecs(model.spec).map(({ path, spec }) => `${path} [${spec.shape}]`),
    [
      'scale [4]',
      'encoder.layers.0.norm.weight [4]',
      'encoder.layers.0.norm.bias [4]',
      'encoder.layers.0.out.weight [4,4]',
      'encoder.layers.1.norm.weight [4]',
      'encoder.layers.1.norm.bias [4]',
      'encoder.layers.1.out.weight [4,4]',
      'head.0.weight [3,4]',
      'head.0.bias [3]',
      'head.2.weight [4,3]',
      'head.2.bias [4]',
    ],
  );
});

test('what a part builds carries its path', () => {
  assert.equal(y.shape, [2, 5, 4]);
  assert.is(y.node.path, 'head.2');
  const inside = [...ancestors(y.node)].map((n) => n.path);
  assert.ok(inside.includes('encoder.layers.1.norm'));
  assert.ok(inside.includes('encoder.layers.0'));
});

function ancestors(n: typeof y.node, seen = new Set<typeof y.node>()): Set<typeof y.node> {
  if (seen.has(n)) return seen;
  seen.add(n);
  for (const s of n.src) ancestors(s, seen);
  return seen;
}

test.run();
