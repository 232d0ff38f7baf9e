// Matching of stored tensors to a model: everything that does not fit is reported at once.
import * as E from 'fp-ts/lib/Either.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { namedSpecs } from '../../src/dsl/param.ts';
import { matchParams, renderMismatches, type StoredInfo } from '../../src/models/load.ts';
import { projectBlock } from '../../src/models/project-block.ts';

const test = suite('matching checkpoints');
const { spec } = projectBlock(64, 32);
const whole = (): Map<string, StoredInfo> =>
  new Map(namedSpecs(spec).map(({ path, spec: s }) => [path, { dtype: 'BF16', shape: s.shape }]));

test('a checkpoint that fits gives every parameter in the order of the spec', () => {
  const matched = matchParams(spec, whole());
  assert.ok(E.isRight(matched));
  assert.equal(
    matched.right.map(({ name }) => name),
    namedSpecs(spec).map(({ path }) => path),
  );
});

test('all faults come together', () => {
  const stored = whole();
  stored.delete('conv1.weight');
  stored.delete('norm2.bias');
  stored.set('conv2.weight', { dtype: 'F32', shape: [32, 32, 1, 1] });
  stored.set('norm1.bias', { dtype: 'I64', shape: [64] });
  stored.set('conv3.weight', { dtype: 'F32', shape: [1] });
  const matched = matchParams(spec, stored);
  assert.ok(E.isLeft(matched));
  assert.equal(matched.left.map((m) => m._tag).sort(), ['Extra', 'Misshapen', 'Missing', 'Missing', 'NotFloat']);
  const text = renderMismatches(matched.left);
  for (const part of [
    '5 tensors',
    'conv1.weight',
    'norm2.bias',
    '[32,32,1,1], the model wants [32,32,3,3]',
    'I64',
    'conv3.weight',
  ])
    assert.match(text, part);
});

test('names may be translated and others left over', () => {
  const stored = new Map([...whole()].map(([name, info]) => [`tokenizer.${name}`, info]));
  stored.set('text_model.head.weight', { dtype: 'F32', shape: [4, 4] });
  const options = {
    nameOf: (path: string) => `tokenizer.${path}`,
    ignore: (name: string) => name.startsWith('text_model.'),
  };
  assert.ok(E.isRight(matchParams(spec, stored, options)));
  assert.ok(E.isLeft(matchParams(spec, stored)));
});

test('buffers that are no parameters are passed over', () => {
  const stored = whole();
  stored.set('embeddings.position_ids', { dtype: 'I64', shape: [1, 4] });
  assert.ok(E.isRight(matchParams(spec, stored)));
});

test.run();
