// The debug mode names the first node that goes wrong, forward and backward, with its line and module path.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as B from '../../src/dsl/core/build.ts';
import { withPath } from '../../src/dsl/core/provenance.ts';
import { zeros } from '../../src/dsl/ops/create.ts';
import { add, div, log, mul } from '../../src/dsl/ops/elementwise.ts';
import { tensor } from '../../src/dsl/ops/inputs.ts';
import { broadcastLike } from '../../src/dsl/ops/movement.ts';
import { sum } from '../../src/dsl/ops/reduce.ts';
import type { Tensor } from '../../src/dsl/tensor.ts';
import { valueAndGradNodes } from '../../src/dsl/transform/grad.ts';
import { RunFailure, renderRunError } from '../../src/runtime/error.ts';
import { assertFinite, findNonFinite, nonFiniteError } from '../../src/runtime/finite.ts';
import { jit } from '../../src/runtime/jit.ts';
import { openRuntime } from '../../src/runtime/runtime.ts';
import { DeviceTensor } from '../../src/runtime/tensor.ts';
import { forEachBackend, right } from '../support/backends.ts';

const test = suite('non-finite values');
const x = B.input('x', [4], 'f32');
// Not x - x, which a shader compiler knows to be 0: it gives x / 0 a value of its own.
const zero = B.input('zero', [4], 'f32');

forEachBackend(test, 'forward: the division, not what is made of it', async (backend) => {
  const y = withPath('head.norm', () => B.div(B.addConst(x, 1), zero));
  const found = await findNonFinite(backend, [B.sum(B.scale(y, 2))], {
    x: new Float32Array([1, 2, 3, 4]),
    zero: new Float32Array(4),
  });
  assert.ok(found);
  assert.match(found.what, /^div f32\[4\]/);
  assert.is(found.path, 'head.norm');
  assert.match(found.site, /finite\.test\.ts:\d+/);
  assert.is(found.count, 4);
  assert.match(renderRunError(nonFiniteError(found)), /4 of 4 values infinite or NaN\n {2}in head\.norm/);
});

forEachBackend(test, 'whole numbers made of what is not finite are found, of finite ones are not', async (backend) => {
  const codes = B.cast(B.lt(B.like(0, x), B.div(B.addConst(x, 1), zero)), 'i32');
  const over = (by: number) => ({ x: new Float32Array([1, 2, 3, 4]), zero: new Float32Array(4).fill(by) });
  const result = [Int32Array.of(1, 1, 1, 1)];
  await assertFinite(backend, [codes], result, over(1));
  const thrown = await assertFinite(backend, [codes], result, over(0)).catch((e: unknown) => e);
  assert.instance(thrown, RunFailure);
  assert.match(String(thrown), /div f32\[4\]/);
});

forEachBackend(test, 'backward: the gradient of a root at 0', async (backend) => {
  const { outs, grads } = valueAndGradNodes((v) => [B.sum(B.sqrt(v!))], [x]);
  const found = await findNonFinite(backend, [...outs, ...grads], { x: new Float32Array([1, 0, 4, 9]) });
  assert.ok(found);
  assert.match(found.path, /backward/);
  assert.is(found.count, 1);
});

forEachBackend(test, 'nothing where all is finite', async (backend) => {
  assert.is(await findNonFinite(backend, [B.exp(x)], { x: new Float32Array([0, 1, 2, 3]) }), null);
});

forEachBackend(test, 'a compiled function with donated state, told to check', async (backend) => {
  const host = { backend, warn: () => {}, counters: { traces: 0, compiles: 0, cacheHits: 0 }, checkFinite: true };
  const step = (state: Tensor<readonly [4]>, x: Tensor<readonly [4]>, by: Tensor<readonly []>) => {
    const scaled = withPath('head', () => div(x, broadcastLike(by, x)));
    return { state: add(state, scaled), total: sum(mul(scaled, 2)) };
  };
  const f = jit(host, step, { donate: [0] });
  const upload = async (v: number) =>
    new DeviceTensor(await right(backend.upload(new Float32Array(4).fill(v), [4], 'f32')));
  const fine = await f(await upload(1), await upload(2), 4);
  assert.equal(await fine.state.read(), new Float32Array(4).fill(1.5));
  const failed = await f(fine.state, await upload(2), 0).then(
    () => null,
    (e) => e,
  );
  assert.instance(failed, RunFailure);
  assert.is(failed.error._tag, 'NonFinite');
  assert.match(
    failed.message,
    /^div f32\[4\] has 4 of 4 values infinite or NaN\n {2}in head\n {2}from test\/runtime\/finite\.test\.ts:\d+/,
  );
});

test('evaluate, told to check, on a runtime', async () => {
  const runtime = await openRuntime({ backend: 'gpujs', checkFinite: true });
  const message = await runtime.evaluate({ fine: zeros([2]), wrong: log(tensor([1, 0])) }).then(
    () => '',
    (e: Error) => e.message,
  );
  assert.match(message, /^log f32\[2\] has 1 of 2 values/);
  assert.equal((await runtime.evaluate(zeros([2]))).data, new Float32Array(2));
  runtime.close();
});

test.run();
