// `dualtoken variants`: every variant with its sizes, and parameters that add up.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { variants } from '../../src/models/variants/index.ts';
import { dualtoken } from '../support/command.ts';

const test = suite('dualtoken variants');

test('lists all of them, as JSON and as text', async () => {
  const [json, text] = await Promise.all([dualtoken('variants', '--json'), dualtoken('variants')]);
  assert.is(json.code, 0, json.stderr);
  const { variants: listed } = JSON.parse(json.stdout);
  assert.equal(
    listed.map(({ name }: { readonly name: string }) => name),
    Object.keys(variants),
  );
  for (const { parameters, name } of listed)
    for (const split of [parameters.byKind, parameters.byPart])
      assert.is(
        Object.values<number>(split).reduce((a, b) => a + b, 0),
        parameters.total,
        name,
      );
  // A small tower's tap is said by its own blocks.
  assert.match(text.stdout, /pixel tap at block 2 of 6, for 9 of 27; /);
  assert.match(text.stdout, /pixel tap 9 of 27; /);
  const [released] = listed;
  assert.equal([released.imageSize, released.grid, released.depth], [384, [27, 27], 8]);
  assert.equal(released.vocabularies, { pixel: 32768, semantic: 32768 });
  assert.equal(released.parameters.byKind, {
    vision: 428_225_600,
    projections: 2 * 1_183_232 + 2 * 12_540_032 + 11_803_904,
    decoder: 168_449_667,
    codebooks: 2 * 32_768 * 256,
  });
  assert.match(text.stdout, 'vision 428,225,600');
  assert.match(text.stdout, '27 x 27 positions, 8 codes each: pixel of 32,768, semantic of 32,768');
});

test.run();
