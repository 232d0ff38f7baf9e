// Parameter trees, initialisers and layers.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { seq, times } from '../../src/dsl/compose.ts';
import * as I from '../../src/dsl/init.ts';
import { type Layer, layer, residual } from '../../src/dsl/layer.ts';
import { linear } from '../../src/dsl/ops/contract.ts';
import { add } from '../../src/dsl/ops/elementwise.ts';
import { data } from '../../src/dsl/ops/inputs.ts';
import { key } from '../../src/dsl/ops/random.ts';
import { countParams, type Initializer, namedSpecs, type ParamSpec, weight } from '../../src/dsl/param.ts';
import { ravel, ravelLayout, unravel } from '../../src/dsl/ravel.ts';
import type { Rank2 } from '../../src/dsl/shape.ts';
import { anySize, isTensor, type Tensor } from '../../src/dsl/tensor.ts';
import * as T from '../../src/dsl/tree.ts';
import { refuses, valuesOf } from '../support/values.ts';

const t = suite('parameters: trees, initialisers, layers');
const env = { key: key(3), path: '' };
const mean = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0) / xs.length;
const std = (xs: readonly number[]): number => {
  const centre = mean(xs);
  return Math.sqrt(mean(xs.map((x) => (x - centre) ** 2)));
};
const near = (got: number, wanted: number, by: number): void =>
  assert.ok(Math.abs(got - wanted) < by, `${got}, wanted ${wanted}`);

type Square = Layer<{ readonly weight: ParamSpec<Rank2, 'f32'> }, Tensor<Rank2>, Tensor<Rank2>>;
const square = (n: number): Square =>
  layer({ weight: weight([n, n], I.xavierUniformInit) }, (p) => (x) => linear(x, p.weight));

t('a spec names its parameters by path', () => {
  const net = { stem: square(4).spec, blocks: times(2, () => residual(square(4)).spec) };
  assert.equal(
    namedSpecs(net).map((s) => s.path),
    ['stem.weight', 'blocks.0.weight', 'blocks.1.weight'],
  );
  assert.is(countParams(net), 48);
});

t('initial values depend on the path, and on nothing else', () => {
  const small = I.initParams({ a: square(4).spec })(env);
  const large = I.initParams({ z: square(4).spec, a: square(4).spec })(env);
  assert.equal(valuesOf(small.a.weight), valuesOf(large.a.weight));
  assert.not.equal(valuesOf(large.z.weight), valuesOf(large.a.weight));
  assert.equal(valuesOf(I.initParams(square(4).spec)({ ...env, path: 'a' }).weight), valuesOf(small.a.weight));
  assert.not.equal(
    valuesOf(I.initParams({ a: square(4).spec })({ ...env, key: key(4) }).a.weight),
    valuesOf(small.a.weight),
  );
});

t('initialisers have their spread and bounds', () => {
  const draw = (init: Initializer, shape: readonly number[] = [100, 50]) =>
    valuesOf(init(shape)({ ...env, path: 'w' }));
  assert.ok(draw(I.zerosInit).every((x) => x === 0));
  assert.ok(draw(I.constantInit(0.5)).every((x) => x === 0.5));
  near(std(draw(I.normalInit(0.02))), 0.02, 0.001);
  near(std(draw(I.lecunNormalInit)), 1 / Math.sqrt(50), 0.005);
  const bounded = (xs: readonly number[], bound: number) => {
    assert.ok(xs.every((x) => Math.abs(x) <= bound));
    near(std(xs), bound / Math.sqrt(3), bound / 20);
  };
  bounded(draw(I.uniformInit(0.3)), 0.3);
  bounded(draw(I.kaimingUniformInit), 1 / Math.sqrt(50));
  bounded(draw(I.kaimingUniformInit, [20, 10, 3, 3]), 1 / Math.sqrt(90));
  bounded(draw(I.xavierUniformInit), Math.sqrt(6 / 150));
  const cut = draw(I.truncatedNormalInit(2));
  assert.ok(cut.every((x) => Math.abs(x) <= 4.00001));
  near(std(cut), 2 * 0.8796, 0.05);
  near(std(draw(I.truncatedNormalInit(1, 4))), 0.9995, 0.03);
  refuses(() => draw(I.truncatedNormalInit(1, 0)), 'truncatedNormalInit');
});

t('layers compose, and name the nodes that they build', () => {
  const net = seq(square(3), residual(square(3)), residual(square(3)));
  const p = I.initParams(net.spec)(env);
  const x = anySize(data('x', [2, 3]));
  const y = net.apply(p)(x);
  const h = linear(x, p[0].weight);
  const first = add(h, linear(h, p[1].weight));
  assert.is(y, add(first, linear(first, p[2].weight)));
  assert.is(y.node.path, '2');
});

t('trees: map, zip, fold, paths, partition', () => {
  const isNumber = (x: unknown): x is number => typeof x === 'number';
  const tree = { a: 1, b: [2, { c: 3 }] } as const;
  assert.equal(T.paths(tree, isNumber), ['a', 'b.0', 'b.1.c']);
  assert.equal(T.mapTree(isNumber, (x, path) => `${path}=${x}`)(tree), { a: 'a=1', b: ['b.0=2', { c: 'b.1.c=3' }] });
  assert.equal(T.zipTrees(isNumber, (a, b) => a * b)(tree, { b: [5, { c: 6 }], a: 4 }), { a: 4, b: [10, { c: 18 }] });
  assert.is(T.foldTree(isNumber, 0, (s, x) => s + x)(tree), 6);
  const { yes, no } = T.partitionTree(isNumber, (x) => x > 1)(tree);
  assert.equal(yes, { a: undefined, b: [2, { c: 3 }] });
  assert.equal(no, { a: 1, b: [undefined, { c: undefined }] });
  refuses(() => T.zipTrees(isNumber, (a) => a)(tree, { a: 1, b: [2] }), "'b.1.c' is in the first tree only");
  refuses(() => T.zipTrees(isNumber, (a) => a)({ a: 1 }, { a: 1, d: 2 }), "'d' is in the second tree only");
  refuses(() => T.paths({ a: { f: 'text' } }, isNumber), "at 'a.f': a string");
});

t('trees: what reads alike is told apart or refused', () => {
  const isNumber = (x: unknown): x is number => typeof x === 'number';
  for (const tree of [
    { 'a.b': 1, a: { b: 2 } },
    { '': { a: 1 }, a: 2 },
  ])
    refuses(() => T.flatten(tree, isNumber), 'two leaves are called');
  assert.equal(T.paths({ 'a.b': 1, 'a.c': 2, a: { d: 3 } }, isNumber), ['a.b', 'a.c', 'a.d']);
  const forms = [{ 'a:*,b': 1 }, { a: 1, b: 1 }, { 'a:{b': 1 }, { a: { b: 1 } }].map(
    (x) => T.flatten(x, isNumber).form,
  );
  assert.is(new Set(forms).size, 4);
});

t('raveled vectors give the tree back', () => {
  const spec = {
    w: weight([3, 5], I.normalInit(1)),
    b: weight([5], I.normalInit(1)),
    deep: [weight([2, 2], I.normalInit(1))],
  };
  const values = I.initParams(spec)(env);
  const layout = ravelLayout(spec);
  const flats = ravel(layout, values);
  for (const g of layout.groups) for (const e of g.entries) assert.is(e.offset % 64, 0);
  const back = unravel(layout, flats);
  const leaves = (tree: unknown) =>
    T.flatten(tree, isTensor).leaves.map((l) => [l.path, [...l.value.shape], valuesOf(l.value)]);
  assert.equal(leaves(back), leaves(values));
  refuses(() => ravel(layout, { w: values.w }), 'ravel', "'deep.0'");
});

t.run();
