// Options of `dualtoken train` that change what its variant asks for: losses left out, gradient checkpoints.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { dualtoken, messageOf, tinyModel } from '../support/command.ts';
import { inFolder } from '../support/files.ts';
import { projectDir } from '../support/shared.ts';

const test = suite('dualtoken train, options');

test('--without leaves losses of the variant out, --checkpointing changes no loss', () =>
  inFolder(async (folder) => {
    const config = join(folder, 'tiny.json');
    await writeFile(config, JSON.stringify({ model: tinyModel, batchSize: 2, sampleEvery: 100 }));
    const photos = join(projectDir, 'assets/photos');
    const train = (out: string, ...more: readonly string[]) => {
      const where = ['--out', join(folder, out), '--backend', 'wasm', '--steps', '2', '--json'];
      return dualtoken('train', photos, '--config', config, ...where, ...more);
    };
    const [plain, saving, wrong] = await Promise.all([
      train('a', '--without', 'adversarial', 'pooled'),
      train('b', '--without', 'adversarial', 'pooled', '--checkpointing'),
      train('c', '--without', 'perceptual'),
    ]);
    assert.equal([plain.code, saving.code], [0, 0], plain.stderr + saving.stderr);
    const log = async (out: string) =>
      (await readFile(join(folder, out, 'log.jsonl'), 'utf8'))
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
        .filter((line) => 'loss' in line);
    const [a, b] = [await log('a'), await log('b')];
    assert.is(a.length, 2);
    for (const [i, { loss, ...terms }] of a.entries()) {
      assert.equal(
        Object.keys(terms).filter((name) => /generator|adversary|pooled/.test(name)),
        [],
      );
      assert.ok(Math.abs(loss - b[i].loss) < 1e-4 * loss, `${loss} and ${b[i].loss}`);
    }
    assert.is(JSON.parse(await readFile(join(folder, 'b', 'config.json'), 'utf8')).checkpointing, true);
    assert.is(wrong.code, 1);
    assert.match(messageOf(wrong), /--without perceptual: there is no such loss; there are pixel, .*adversarial/);
  }));

test.run();
