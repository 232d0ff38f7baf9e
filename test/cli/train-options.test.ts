// Options of `dualtoken train` over its configuration: losses left out, gradient checkpoints, and both again when a run goes on.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { dualtoken, dualtokenHere, messageOf, tinyModel } from '../support/command.ts';
import { inFolder } from '../support/files.ts';
import { projectDir } from '../support/shared.ts';
import { tinyRun } from '../support/tiny-run.ts';

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

test('the same command goes on with --resume; what an edited file says anew is named, and not used', () =>
  inFolder(async (folder) => {
    const [file, out] = [join(folder, 'run.json'), join(folder, 'run')];
    const written = { ...tinyRun, data: { workers: 0 }, microBatches: 1, sampleEvery: 1 };
    await writeFile(file, JSON.stringify(written));
    const train = (...more: readonly string[]) =>
      dualtokenHere(
        { DUALTOKEN_CACHE: join(folder, 'cache') },
        ...['train', ...more, '--without', 'adversarial', '--out', out, '--backend', 'wasm'],
      );
    const same = [file, join(projectDir, 'assets/photos'), '--steps', '1'];
    const first = await train(...same);
    assert.is(first.code, 0, first.stderr);
    const goesOn = async (...more: readonly string[]) => {
      const ran = await train('--resume', ...more);
      assert.is(ran.code, 0, ran.stderr);
      assert.match(ran.stderr, /resumed from .*after step 1/);
      return ran.stderr.split('\n').filter((line) => line.includes('differs'));
    };
    assert.equal(await goesOn(...same), []);
    assert.equal(await goesOn(), [], 'without the file');

    const edited = { ...written, batchSize: 1, steps: 5, optimizer: { learningRate: 0.1 }, ema: undefined };
    await writeFile(file, JSON.stringify(edited));
    assert.equal(await goesOn(...same), [
      `${file} differs from the run that goes on, in batchSize, ema, optimizer.learningRate, optimizer.clip: the run's own are used; options, as --steps, change them`,
    ]);
    const { batchSize, losses } = JSON.parse(await readFile(join(out, 'config.json'), 'utf8'));
    assert.is(batchSize, tinyRun.batchSize);
    assert.equal(
      losses.map(({ kind }: { readonly kind: string }) => kind),
      ['pixel', 'commitment'],
    );
    const unknown = await train('--without', 'entropy', '--resume');
    assert.is(unknown.code, 1);
    assert.match(messageOf(unknown), /--without entropy: there is no such loss; there are pixel, commitment$/);
  }));

test.run();
