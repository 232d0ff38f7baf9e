// What evaluations read beside pictures: files of labels, and of classes and templates.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readClassPrompts, withLabels } from '../../src/eval/evaluations/index.ts';
import { fakeDataset } from '../support/fake-model.ts';
import { failure, inFolder, run } from '../support/files.ts';

const test = suite('files of labels and classes');
const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, n) => n);

test('files of labels, and of classes and templates', async () => {
  await inFolder(async (folder) => {
    const file = async (content: unknown) => {
      const path = join(folder, 'file.json');
      await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
      return path;
    };
    const data = fakeDataset(3, { nameOf: (n) => `a/fake-${n}`, classes: ['x'] });
    const rows = await run(
      withLabels(
        await file([
          ['fake-0', 4, 'more'],
          ['fake-2', 1],
        ]),
      )(data),
    );
    assert.equal(numbers(3).map(rows.labelOf), [4, null, 1]);
    assert.is(rows.classes, undefined);
    const object = await run(withLabels(await file({ 'a/fake-1': 7 }))(data));
    assert.equal(numbers(3).map(object.labelOf), [null, 7, null]);
    assert.match(await failure(withLabels(await file({ other: 7 }))(data)), /names none of the 3 pictures of fakes/);
    assert.match(await failure(withLabels(await file({ other: 'cat' }))(data)), /a label is a whole number/);

    const imagenet = {
      wnids: ['n1', 'n2'],
      openai_classnames: ['tench', 'crane'],
      templates: { OPENAI_A: ['a {}'], SIMPLE_B: ['{}'] },
    };
    const read = async (content: unknown, choice = {}) => run(readClassPrompts(await file(content), choice));
    assert.equal(await read(imagenet), { ...(await read(imagenet, { templates: 'OPENAI' })) });
    assert.equal((await read(imagenet, { templates: 'simple' })).templates, ['{}']);
    assert.equal((await read(imagenet)).aliases, ['n1', 'n2']);
    const sets = { A: { classes: ['x'], templates: ['{}'] }, B: { classes: ['y'], templates: ['b {}'] } };
    assert.equal(await read(sets, { set: 'B' }), { classes: ['y'], aliases: [], templates: ['b {}'] });
    assert.equal((await read(sets.A)).classes, ['x']);
    const wrong = async (content: unknown, choice = {}) => failure(readClassPrompts(await file(content), choice));
    assert.match(await wrong(sets), /holds several sets of classes: choose one by 'set', of A, B/);
    assert.match(await wrong(sets, { set: 'C' }), /has no set 'C'; there are A, B/);
    assert.match(await wrong(imagenet, { templates: 'odd' }), /no templates 'odd'; there are OPENAI_A, SIMPLE_B/);
    assert.match(await wrong({ classes: ['x'], templates: ['no place'] }), /it is none of/);
    assert.match(await wrong({ ...imagenet, wnids: ['n1'] }), /2 classes and 1 other names/);
    assert.match(await wrong('{'), /not JSON/);
  });
});

test.run();
