// Each JSON file that a user may have written: with a byte order mark it is what it is without, and what is not JSON is told in one way.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import type * as TE from 'fp-ts/lib/TaskEither.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findMobileNetV2 } from '../../src/checkpoints/load-mobilenet.ts';
import { configFile, modelIn } from '../../src/checkpoints/model-file.ts';
import { readJson } from '../../src/cli/read-json.ts';
import { readCaptions } from '../../src/data/datasets/captions.ts';
import { type DataError, renderDataError } from '../../src/data/error.ts';
import { readJsonIfThere } from '../../src/data/json.ts';
import { locate } from '../../src/data/safetensors/locate.ts';
import { openSegmenter } from '../../src/data/tokenizers/open.ts';
import { readClassPrompts, withLabels } from '../../src/eval/evaluations/index.ts';
import { readConfig } from '../../src/eval/models/checkpoint-folder.ts';
import { readRun } from '../../src/train/report/run-folder.ts';
import { readCheckpoint } from '../../src/train/run/checkpoint.ts';
import { tinyVariant } from '../support/command.ts';
import { fakeDataset } from '../support/fake-model.ts';
import { inFolder, run } from '../support/files.ts';

const test = suite('files of JSON');

/** What is read from a file in a folder: the file's name, what it says, and its reader. */
type Reading = readonly [name: string, says: string, read: (folder: string) => TE.TaskEither<DataError, unknown>];

const labels = JSON.stringify({ 'fake-0': 1 });
const classes = JSON.stringify({ classes: ['x'], templates: ['a {}'] });
const index = JSON.stringify({ weight_map: { a: 'a.safetensors' } });
const readings: Readonly<Record<string, Reading>> = {
  labels: ['labels.json', labels, (at) => withLabels(join(at, 'labels.json'))(fakeDataset(1))],
  'classes and templates': ['classes.json', classes, (at) => readClassPrompts(join(at, 'classes.json'), {})],
  'a published tower': ['config.json', '{}', readConfig],
  'a model of this project': ['config.json', configFile(tinyVariant()), modelIn],
  MobileNetV2: ['config.json', '{"depth_multiplier": 1.4}', (at) => findMobileNetV2(join(at, 'weights.safetensors'))],
  'a run': ['config.json', '{}', readRun],
  'a checkpoint': ['train.json', '{}', readCheckpoint],
  captions: ['captions.json', '{"a.png": "A cat"}', (at) => readCaptions(join(at, 'captions.json'))],
  'a tokenizer': ['tokenizer.json', '{}', openSegmenter],
  'an index of shards': ['x.safetensors.index.json', index, (at) => () => locate(join(at, 'x.safetensors.index.json'))],
};

/** What reading gives, as far as it can be compared. */
const outcome = async (reading: TE.TaskEither<DataError, unknown>): Promise<string> => {
  const result = await reading();
  return E.isLeft(result) ? renderDataError(result.left) : JSON.stringify(result.right);
};

for (const [what, [name, says, read]] of Object.entries(readings))
  test(`${what}: ${name}`, () =>
    inFolder(async (folder) => {
      const file = join(folder, name);
      await writeFile(join(folder, 'weights.safetensors'), '');
      const saying = async (text: string): Promise<string> => {
        await writeFile(file, text);
        return outcome(read(folder));
      };
      const plain = await saying(says);
      assert.not.match(plain, 'JSON');
      assert.is(await saying(`\ufeff${says}`), plain);
      for (const broken of ['{"a": 1', ''])
        assert.ok((await saying(broken)).startsWith(`cannot read ${file}: this is not JSON (`), await saying(broken));
    }));

test('the command line says the same; a file that may be missing is told from one that holds null', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'train.json');
    await writeFile(file, '\ufeff[1]');
    assert.equal(await readJson(file), [1]);
    await writeFile(file, '[1');
    const said = await readJson(file).catch(String);
    assert.match(String(said), `UserFailure: cannot read ${file}: this is not JSON (`);
    await writeFile(file, 'null');
    assert.is(await run(readJsonIfThere(file)), null);
    assert.is(await run(readJsonIfThere(join(folder, 'none.json'))), undefined);
  }));

test.run();
