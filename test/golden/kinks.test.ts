// A miss at a kink is told from a wrong gradient.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { GoldenCase } from './case.ts';
import type { Evaluate, Kind } from './kind.ts';
import { besideKinks } from './kinks.ts';

const f32 = (data: readonly number[], shape: readonly number[]) => ({
  dtype: 'F32' as const,
  shape,
  data: Float32Array.from(data),
});
const caseOf = (x: readonly number[], gradient: readonly number[]): GoldenCase => ({
  name: 'steps',
  atol: 0,
  rtol: 1e-3,
  what: '',
  settings: {},
  inputs: new Map([['x', f32(x, [2, 2])]]),
  outputs: new Map([['grad', f32(gradient, [2, 2])]]),
  model: new Map(),
  config: null,
});
const none: Evaluate = () => Promise.reject(new Error('nothing is computed on a backend here'));
/** The gradient of relu(x - 0.5) + 2 x. */
const kind: Kind = async (c) => {
  const { shape, data } = c.inputs.get('x')!;
  return new Map([['grad', { shape, data: Array.from(data as Float32Array, (x) => (x > 0.5 ? 3 : 2)) }]]);
};
const verdict = (x: readonly number[], gradient: readonly number[]) =>
  besideKinks(caseOf(x, gradient), kind, { input: 'x', gradient: 'grad' }, none);

const test = suite('kinks');

test('either side of a kink is found, for each sample on its own', async () => {
  const { passed, worst } = await verdict([0.5, 0.5, 0.5, 0.25], [3, 2, 3, 2]);
  assert.ok(passed);
  assert.is(worst, 0);
});

test('a gradient that no side has fails', async () => {
  assert.not((await verdict([0.5, 0.25, 0.5, 0.25], [2.5, 2, 3, 2])).passed);
});

test('a wrong gradient away from the kink fails', async () => {
  assert.not((await verdict([0.5, 0.51, 0.5, 0.25], [3, 2, 3, 2])).passed);
});

test.run();
