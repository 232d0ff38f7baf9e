// The debug mode names the first node that goes wrong, forward and backward, with its line and module path.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as B from '../../src/dsl/core/build.ts';
import { withPath } from '../../src/dsl/core/provenance.ts';
import { valueAndGradNodes } from '../../src/dsl/transform/grad.ts';
import { renderRunError } from '../../src/runtime/error.ts';
import { findNonFinite, nonFiniteError } from '../../src/runtime/finite.ts';
import { forEachBackend } from '../support/backends.ts';

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

test.run();
