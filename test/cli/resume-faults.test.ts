// What may have happened to a run between two sittings: its steps are done, its pictures are others, its newest checkpoint is damaged.
import { mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { dualtokenHere, messageOf } from '../support/command.ts';
import { inFolder } from '../support/files.ts';
import { leavePictures, tinyRun } from '../support/tiny-run.ts';

const test = suite('a run that goes on');

test('fewer steps are refused, other pictures and a damaged checkpoint are named', () =>
  inFolder(async (folder) => {
    const [file, out, pictures] = ['run.json', 'run', 'pictures'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    await mkdir(pictures);
    await leavePictures(pictures, 6);
    const losses = [{ kind: 'pixel', weight: 10 }];
    await writeFile(file, JSON.stringify({ ...tinyRun, losses, data: { workers: 0 }, microBatches: 1 }));
    const train = (...more: readonly string[]) =>
      dualtokenHere(
        { DUALTOKEN_CACHE: join(folder, 'cache') },
        ...['train', file, pictures, '--out', out, '--backend', 'wasm', ...more],
      );
    const config = () => readFile(join(out, 'config.json'), 'utf8');
    const first = await train('--steps', '1');
    assert.is(first.code, 0, first.stderr);
    const second = await train('--steps', '2', '--resume');
    assert.is(second.code, 0, second.stderr);
    assert.not.match(second.stderr, /warning: the run had/);
    const misplaced = await dualtokenHere({}, 'train', out, '--resume');
    assert.is(misplaced.code, 1);
    assert.match(messageOf(misplaced), /run is the folder of a run, not of pictures: .*train --resume --out .*run'/);
    const before = await config();
    const fewer = await train('--steps', '1', '--resume');
    assert.is(fewer.code, 1);
    assert.match(messageOf(fewer), /run is at step 2 already: --steps 1 lies before it/);
    assert.is(await config(), before);
    await rm(join(pictures, '5.png'));
    const other = await train('--steps', '3', '--resume');
    assert.is(other.code, 0, other.stderr);
    assert.match(other.stderr, /warning: the run had 6 pictures, and there are 5/);
    await truncate(join(out, 'checkpoint-00000003', 'state.safetensors'), 1000);
    const damaged = await train('--steps', '4', '--resume');
    assert.is(damaged.code, 1);
    assert.match(
      messageOf(damaged),
      /checkpoint-00000003: this checkpoint cannot be read \(.*\): remove it to go on from checkpoint-00000002/,
    );
  }));

test.run();
