// The transformations as a user calls them: trees of parameters, closures, rematerialisation, custom gradients, loops.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as b from '../../../src/dsl/core/build.ts';
import { topological } from '../../../src/dsl/core/node.ts';
import { withPath } from '../../../src/dsl/core/provenance.ts';
import type { Node } from '../../../src/dsl/core/types.ts';
import { attention, softmax } from '../../../src/dsl/fused/index.ts';
import { data, param } from '../../../src/dsl/ops/inputs.ts';
import { type AnyTensor, type ScalarTensor, type Tensor, unwrap, wrap, wrapAll } from '../../../src/dsl/tensor.ts';
import { checkpointNodes } from '../../../src/dsl/transform/checkpoint.ts';
import {
  checkpoint,
  customVjp,
  grad,
  scan,
  stopGradient,
  valueAndGrad,
  valueAndGradAux,
  vjp,
  vmap,
} from '../../../src/dsl/transform/index.ts';
import { gradients } from '../../../src/dsl/transform/pullback.ts';
import { close, values } from '../../support/draw.ts';
import { checkGradients, leaf } from '../../support/finite.ts';
import { interpret } from '../../support/interpret.ts';

const test = suite('transformations of functions');

type Vec = Tensor<readonly [3]>;
/** A typed operation of three-vectors from one of nodes. */
const lift =
  <T>(f: (...xs: readonly Node[]) => Node) =>
  (...xs: readonly AnyTensor[]): T =>
    wrapAll<readonly [T]>([f(...xs.map(unwrap))])[0];
const mul = lift<Vec>((x, y) => b.mul(x!, y!));
const exp = lift<Vec>((x) => b.exp(x!));
const total = lift<ScalarTensor>((x) => b.sum(x!));
const at = { x: [0.5, -1, 2], w: [1, 2, 3] };
const numbers = (x: AnyTensor): readonly number[] =>
  Array.from(interpret([unwrap(x)], new Map(Object.entries(at)))[0]!);
const x = data('x', [3]);
const w = param('w', [3]);

test('grad keeps the form of its argument', () => {
  const loss = (p: { readonly layers: readonly { readonly w: Vec }[]; readonly none: null }, input: Vec) =>
    total(mul(mul(p.layers[0]!.w, p.layers[1]!.w), input));
  const g = grad(loss)({ layers: [{ w }, { w: x }], none: null }, x);
  assert.equal(Object.keys(g), ['layers', 'none']);
  assert.equal(numbers(g.layers[0]!.w), [0.25, 1, 4]);
  assert.equal(numbers(g.layers[1]!.w), [0.5, -2, 6]);
});

test('closures are constant, also where they are the argument itself', () => {
  assert.equal(numbers(grad((y: Vec) => total(mul(y, x)))(x)), at.x);
  const nested = grad((y: Vec) => total(mul(grad((z: Vec) => total(mul(mul(z, z), y)))(y), y)));
  // d/dy of y * (2 z y at z = y) = 2 y^3 is 6 y^2.
  close(
    numbers(nested(x)),
    at.x.map((v) => 6 * v * v),
  );
});

test('value, gradient and further results', () => {
  const { value, aux, grads } = valueAndGradAux((p: Vec) => [total(mul(p, p)), { twice: mul(p, p) }] as const)(x);
  assert.equal(numbers(value), [5.25]);
  assert.equal(numbers(aux.twice), [0.25, 1, 4]);
  assert.equal(numbers(grads), [1, -2, 4]);
  assert.is(valueAndGrad((p: Vec) => total(mul(p, p)))(x).grads, grads);
});

test('what has no path to the loss has gradient zero; mistakes are named', () => {
  assert.equal(numbers(grad((p: { readonly a: Vec; readonly b: Vec }) => total(p.a))({ a: x, b: w }).b), [0, 0, 0]);
  const vector: unknown = mul(x, x);
  assert.throws(() => grad((_: Vec) => vector as ScalarTensor)(x), /the loss is f32\[3\], not a float scalar/);
  assert.throws(
    () => grad((p: Tensor<readonly [2], 'i32'>) => total(p))(data('i', [2], 'i32')),
    /i32\[2\] has no gradient/,
  );
});

test('vjp pulls a cotangent back to every argument', () => {
  const { value, pull } = vjp((a: Vec, c: Vec) => ({ product: mul(a, c), e: exp(a) }), x, w);
  const [da, dc] = pull({ product: w, e: x });
  close(
    numbers(da),
    at.x.map((v, i) => at.w[i]! ** 2 + v * Math.exp(v)),
  );
  close(
    numbers(dc),
    at.x.map((v, i) => v * at.w[i]!),
  );
  close(
    numbers(value.product),
    at.x.map((v, i) => v * at.w[i]!),
  );
});

test('vmap of a function on trees', () => {
  const xs = data('xs', [4, 3]);
  const ys: { readonly y: Tensor<readonly [4, 3]>; readonly s: Tensor<readonly [4]> } = vmap(
    (p: { readonly a: Vec }) => ({ y: mul(p.a, w), s: total(p.a) }),
  )<4>({ a: xs });
  assert.equal(ys.y.shape, [4, 3]);
  assert.equal(ys.s.shape, [4]);
  const slopes: Tensor<readonly [4, 3]> = vmap(grad((a: Vec) => total(mul(a, a))))(xs);
  assert.equal(slopes.shape, [4, 3]);
});

test('stopGradient keeps the value', () => {
  assert.equal(numbers(grad((p: Vec) => total(mul(p, stopGradient(mul(p, p)))))(x)), [0.25, 1, 4]);
});

const block = (y: Node, weight: Node) => b.tanh(b.einsum('i,ij->j', b.exp(b.sin(y)), weight));

test('checkpoint: the same gradients, also of what it closes over, from distinct nodes', () => {
  const [y, v] = [leaf([3]), leaf([3, 3], values(9, 91))];
  const chain = (wrapBlock: boolean) => {
    let h: Node = y.node;
    for (let i = 0; i < 3; i++) h = wrapBlock ? checkpointNodes((z) => [block(z!, v.node)])(h)[0]! : block(h, v.node);
    return h;
  };
  checkGradients([chain(true)], [y, v]);
  const inputs = new Map([y, v].map((l) => [l.node.op.kind === 'input' ? l.node.op.slot : '', l.at]));
  const slopes = [true, false].map((c) => gradients([b.sum(chain(c))], [b.constant(1)], [y.node, v.node]));
  const [mine, plain] = slopes.map((s) => interpret(s, inputs));
  for (const [i, g] of mine!.entries()) close(g, plain![i]!, 1e-14);
  const sines = (roots: readonly Node[]) =>
    topological(roots).filter((n) => n.op.kind === 'map' && n.op.fn === 'sin').length;
  assert.is(sines([chain(false), ...slopes[1]!]), 3);
  assert.is(sines([chain(true), ...slopes[0]!]), 6);
});

test('checkpoint: several results are recomputed together, nested ones within', () => {
  const y = leaf([3]);
  const pair = checkpointNodes((z) => {
    const [inner] = checkpointNodes((u) => [b.exp(b.sin(u!))])(b.sin(z!));
    return [b.mul(inner!, z!), b.add(inner!, z!), z!];
  });
  checkGradients(pair(y.node), [y]);
  const nodes = topological(gradients(pair(y.node), [y.node, y.node, y.node], [y.node]));
  // Once as a value inside the outer one, once again inside the inner.
  assert.is(nodes.filter((n) => n.op.kind === 'map' && n.op.fn === 'exp').length, 2);
});

test('checkpoint: regions do not depend on when a graph was built', () => {
  const build = () => grad((p: Vec) => total(checkpoint((z: Vec) => exp(mul(z, w)))(p)))(x).node;
  const first = build();
  grad((p: Vec) => total(p))(x);
  assert.is(build(), first);
  assert.ok(topological([first]).every((n) => n.op.kind !== 'input' || !n.op.slot.startsWith('~')));
});

test('customVjp: the straight-through estimator', () => {
  const round = lift<Vec>((v) => b.map('round', v!));
  const through = customVjp(
    (v: Vec) => round(v),
    (_, __, ct) => [ct],
  );
  assert.equal(numbers(through(x)), [0, -1, 2]);
  assert.equal(numbers(grad((p: Vec) => total(mul(through(p), w)))(x)), at.w);
  assert.is(through(x), through(x));
});

test('scan: unrolled, differentiable, mappable', () => {
  const steps = data('steps', [4, 3]);
  const run = (init: Vec, decay: Vec) =>
    scan((carry, s) => [exp(mul(carry, mul(s, decay))), mul(carry, carry)] as const, init, steps);
  const [last, all]: readonly [Vec, Tensor<readonly [4, 3]>] = run(x, w);
  assert.equal(all.shape, [4, 3]);
  const inputs = new Map([...Object.entries(at), ['steps', Array.from(values(12, 92), (v) => 0.1 * v)]]);
  let carry: readonly number[] = at.x;
  const seen: number[] = [];
  for (let t = 0; t < 4; t++) {
    seen.push(...carry.map((c) => c * c));
    carry = carry.map((c, i) => Math.exp(c * inputs.get('steps')![3 * t + i]! * at.w[i]!));
  }
  close(interpret([unwrap(last)], inputs)[0]!, carry);
  close(interpret([unwrap(all)], inputs)[0]!, seen);
  const [y, v] = [leaf([3], Float64Array.from(at.x)), leaf([3], Float64Array.from(at.w))];
  const looped = scan(
    (c: Vec, s) => [exp(mul(c, mul(s, wrap<readonly [3], 'f32'>(v.node)))), c] as const,
    wrap<readonly [3], 'f32'>(y.node),
    wrap<readonly [2, 3], 'f32'>(b.full(0.3, [2, 3])),
  );
  checkGradients(looped.map(unwrap), [y, v]);
  const [final, none] = scan((c: Vec) => [mul(c, c), null] as const, x, null, 3);
  close(
    numbers(final),
    at.x.map((c) => c ** 8),
  );
  assert.is(none, null);
  assert.equal(scan((c: Vec, s) => [c, s] as const, x, data('no', [0, 3]))[1].shape, [0, 3]);
  assert.throws(
    () => scan((c: Vec) => [total(c) as unknown as Vec, null] as const, x, null, 2),
    /turns the carry f32\[3\] into f32\[\]/,
  );
});

test('a chain of 20,000 nodes is differentiated, mapped and rematerialised', () => {
  const long = (y: Node) => {
    let h = y;
    for (let i = 0; i < 10000; i++) h = b.sin(b.add(h, y));
    return h;
  };
  const y = b.input('y', [2], 'f32');
  const [g] = gradients([b.sum(long(y))], [b.constant(1)], [y]);
  assert.ok(topological([g!]).length > 30000);
  const slope = vmap(grad((p: Vec) => total(checkpoint((z: Vec) => wrap<readonly [3], 'f32'>(long(unwrap(z))))(p))));
  assert.equal(slope(data('ys', [5, 3])).shape, [5, 3]);
});

test('gradients remember the node that they belong to', () => {
  const y = b.input('y', [4], 'f32');
  const h = withPath('tower', () => withPath('mlp', () => b.tanh(y)));
  const [g] = gradients([b.sum(h)], [b.constant(1)], [y]);
  const path = topological([g!]).filter((n) => n.path === 'tower.mlp.backward');
  assert.ok(path.length >= 3);
  assert.is(path[0]!.site(), h.site());
  const q = withPath('attn', () => b.input('q', [1, 1, 3, 2], 'f32'));
  const out = withPath('attn', () => softmax(attention(q, q, q).out));
  const back = gradients([b.sum(out)], [b.constant(1)], [q]);
  assert.ok(
    topological(back).some(
      (n) => n.op.kind === 'fused' && n.op.call === 'attentionGradKeys' && n.path === 'attn.backward',
    ),
  );
});

test.run();
