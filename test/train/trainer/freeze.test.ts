// Patterns of paths: which parameters are trained, which codebooks learn, and what is said of a pattern that matches none.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { zerosInit } from '../../../src/dsl/init.ts';
import { weight } from '../../../src/dsl/param.ts';
import type { RavelLayout } from '../../../src/dsl/ravel.ts';
import { TrainFailure } from '../../../src/train/failure.ts';
import { layoutsOf, stillIn } from '../../../src/train/trainer/freeze.ts';

const test = suite('frozen parameters');

const linear = { weight: weight([2, 2], zerosInit), bias: weight([2], zerosInit, ['noDecay']) };
const spec = {
  tower: { layers: [{ fc: linear }, { fc: linear }], norm: weight([2], zerosInit, ['noDecay']) },
  'tower+': { fc: linear },
  decoder: { fc: linear, table: weight([3], zerosInit, ['frozen']) },
};
const pathsOf = ({ groups }: RavelLayout, name?: string): readonly string[] =>
  groups.filter((g) => name === undefined || g.name === name).flatMap(({ entries }) => entries.map(({ path }) => path));
const still = (...patterns: readonly string[]): readonly string[] =>
  [...pathsOf(layoutsOf(spec, patterns).fixed)].filter((path) => path !== 'decoder.table').sort();

test('without patterns all but those tagged frozen are trained, matrices with decay', () => {
  const { params, fixed } = layoutsOf(spec);
  assert.equal(pathsOf(fixed), ['decoder.table']);
  assert.is(pathsOf(params).length, 9);
  assert.equal(
    pathsOf(params, 'decay').map((path) => path.split('.').at(-1)),
    ['weight', 'weight', 'weight', 'weight'],
  );
});

test('* is a part of a path between dots, ** any number of them', () => {
  assert.equal(still('tower.norm'), ['tower.norm']);
  assert.equal(still('*.norm'), ['tower.norm']);
  assert.equal(still('tower.layers.0.**'), ['tower.layers.0.fc.bias', 'tower.layers.0.fc.weight']);
  assert.equal(still('tower.layers.*.fc.bias'), ['tower.layers.0.fc.bias', 'tower.layers.1.fc.bias']);
  assert.equal(still('tower.**.bias'), ['tower.layers.0.fc.bias', 'tower.layers.1.fc.bias']);
  assert.equal(still('dec*.fc.w*'), ['decoder.fc.weight']);
  assert.equal(still('**.bias', 'tower.norm').length, 5);
  assert.is(still('**').length, 9);
  assert.is(pathsOf(layoutsOf(spec, ['**']).params).length, 0);
});

test('other characters stand for themselves', () => {
  assert.equal(still('tower+.**'), ['tower+.fc.bias', 'tower+.fc.weight']);
  for (const pattern of ['tower', 'towe.+', 'TOWER.**', 'tower_norm', ''])
    assert.throws(() => layoutsOf(spec, [pattern]), /no parameter matches/);
  assert.equal(still('tower.*'), ['tower.norm'], 'no deeper');
});

test('patterns that match nothing are named, all of them, with the paths that there are', () => {
  const thrown = (() => {
    try {
      layoutsOf(spec, ['tower.**', 'encoder.**', 'head']);
      return null;
    } catch (e) {
      return e;
    }
  })();
  assert.instance(thrown, TrainFailure);
  assert.is(
    (thrown as TrainFailure).message,
    "freeze: no parameter matches 'encoder.**', 'head'; paths begin with tower.layers, tower.norm, tower+.fc, decoder.fc, decoder.table",
  );
});

test('codebooks stay by their own names: patterns of all parameters do not reach them', () => {
  const state = ['quantizer.codebook', 'quantizer.embedEma', 'quantizer_semantic.codebook'];
  const stay = (...patterns: readonly string[]) => state.filter(stillIn(patterns));
  assert.equal(stay('quantizer.**'), state.slice(0, 2));
  assert.equal(stay('quant*.codebook'), [state[0], state[2]]);
  assert.equal(stay('**', '*.codebook', '**.codebook', 'tower.**'), []);
  layoutsOf(spec, ['quantizer.**', 'tower.**'], state);
  assert.throws(
    () => layoutsOf(spec, ['quantiser.**'], state),
    /no parameter matches 'quantiser\.\*\*'; .*quantizer\.codebook/,
  );
  assert.throws(() => layoutsOf(spec, ['**.codebook'], state), /no parameter matches/);
});

test.run();
