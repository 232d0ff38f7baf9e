// `dualtoken eval` on a SigLIP and pictures that are small enough: its options and what it prints; and once as a user runs it.
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { evalCommand } from '../../src/cli/commands/eval.ts';
import { explainFailure } from '../../src/cli/failure.ts';
import { dualtoken, dualtokenAfter, messageOf, writeTinyTokenizer } from '../support/command.ts';
import { inFolder } from '../support/files.ts';
import { writeTinyPictures, writeTinySiglip } from '../support/tiny-siglip.ts';

const test = suite('dualtoken eval');

interface Tiny {
  readonly model: string;
  readonly pictures: string;
  readonly classes: string;
  readonly state: string;
}

const withTiny = (body: (tiny: Tiny) => Promise<void>): Promise<void> =>
  inFolder(async (folder) => {
    const [model, pictures, classes] = ['siglip', 'pictures', 'classes.json'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    await writeTinySiglip(model);
    await writeTinyPictures(pictures, 6);
    await writeFile(classes, JSON.stringify({ classes: ['dog', 'cat'], templates: ['a photo of a {}.', '{}s'] }));
    await body({ model, pictures, classes, state: join(folder, 'state') });
  });

const common = ['--backend', 'wasm', '--batch-size', '5'];

/** The command in this process: what it writes to standard output, and its failure as a person reads it. */
const evaluate = async (state: string, ...args: readonly string[]): Promise<{ stdout: string; failure: string }> => {
  const program = new Command('dualtoken').exitOverride().configureOutput({ writeErr: () => undefined });
  evalCommand(program).copyInheritedSettings(program);
  const [out, err] = [process.stdout.write, process.stderr.write];
  let stdout = '';
  process.stdout.write = (text: string | Uint8Array) => {
    stdout += String(text);
    return true;
  };
  process.stderr.write = () => true;
  try {
    await program.parseAsync(['eval', ...args, ...common, '--state', state], { from: 'user' });
    return { stdout, failure: '' };
  } catch (thrown) {
    return { stdout, failure: explainFailure(thrown) };
  } finally {
    [process.stdout.write, process.stderr.write] = [out, err];
  }
};

test('each evaluation ends with a table, or with one JSON object', async () => {
  await withTiny(async ({ model, pictures, classes, state }) => {
    const run = async (...args: readonly string[]): Promise<string> => {
      const { stdout, failure } = await evaluate(state, ...args);
      assert.is(failure, '');
      assert.not.ok(existsSync(state), 'the state is gone');
      return stdout;
    };
    const tiny = join(pictures, '..', 'tiny.safetensors');
    await writeTinyTokenizer(tiny);
    const painted = await run('reconstruction', tiny, pictures, '--features', model);
    assert.match(painted, /^12 pictures of 16 x 16\nPSNR +-?\d+\.\d\d dB +± /);
    assert.match(painted, /\nrFD-SigLIP +\d+\.\d+ +biased upwards: 12 pictures are fewer than 16 features\n/);
    assert.match(painted, /\ncodebook +used [^\n]*\npixel +\d of 8 [^\n]*\nsemantic +\d of 8 /);
    const zeroShot = await run('zero-shot', model, pictures, '--classes', classes);
    assert.match(zeroShot, /^12 pictures, 2 classes, 2 templates: top-1 \d+\.\d\d %, top-5 100\.00 %\n$/);
    const retrieval = await run('retrieval', model, pictures);
    assert.match(retrieval, /^12 pictures with 24 captions\n +R@1 +R@5 +R@10\nstandard, text to image +\d/);
    assert.is(retrieval.trim().split('\n').length, 6);
    const report = JSON.parse(await run('probe', model, pictures, '--json'));
    assert.equal([report.evaluation, report.model.name, report.feature], ['probe', 'siglip', 'pooled']);
    assert.equal([report.train, report.test, report.classes, report.width], [10, 2, 2, 16]);
    assert.ok(report.top1 >= 0 && report.top1 <= 1);
    const knn = await run('knn', model, pictures, pictures, '--feature', 'mean', '--neighbours', '1,3');
    assert.match(knn, /^mean, 16 values: 2 classes, trained on 12 pictures, measured on 12\n/);
    assert.match(knn, /\n1 +100\.00 % +100\.00 %\n3 /);
  });
});

test('what cannot be evaluated is one message', async () => {
  await withTiny(async ({ model, pictures, classes, state }) => {
    const refused = async (message: RegExp, ...args: readonly string[]) => {
      const { stdout, failure } = await evaluate(state, ...args);
      assert.is(stdout, '');
      assert.match(failure, message);
      assert.not.match(failure, /please report/);
    };
    await refused(/siglip has no pixel decoder: it reconstructs nothing/, 'reconstruction', model, pictures);
    const flat = join(pictures, 'cat');
    await refused(/0.png has no class: .* --labels/, 'zero-shot', model, flat, '--classes', classes);
    const tiny = join(pictures, '..', 'tiny.safetensors');
    await writeTinyTokenizer(tiny);
    await refused(/tiny.safetensors has no text tower: .* --text/, 'retrieval', tiny, pictures);
    const texts = ['--text', model];
    await refused(/in 32 values, the text tower embeds texts in 16/, 'retrieval', tiny, pictures, ...texts);
    await refused(/cat has no captions: .* --captions/, 'retrieval', model, flat);
    await refused(/no features 'tokens'; there are pooled, mean/, 'probe', model, pictures, '--feature', 'tokens');
    await refused(/500 neighbours of a bank of 10/, 'knn', model, pictures, '--neighbours', '500');
    await refused(/pictures: the folder holds neither/, 'probe', pictures, pictures);
    const again = await evaluate(`${state}-none`, 'probe', model, pictures, '--resume');
    assert.match(again.failure, /state-none: there is no state of an evaluation to go on with/);
  });
});

test('Ctrl-C keeps the state, and --resume ends with the same figures', async () => {
  await withTiny(async ({ model, pictures, state }) => {
    const args = ['eval', 'retrieval', model, pictures, ...common, '--json', '--state', state];
    const stopped = await dualtokenAfter(['interrupt.ts'], { DUALTOKEN_TEST_INTERRUPT: 'pictures 0/12' }, ...args);
    assert.is(stopped.code, 0, stopped.stderr);
    assert.equal(JSON.parse(stopped.stdout), { evaluation: 'retrieval', stopped: true, state });
    assert.match(stopped.stderr, /stopping after this batch; its state is kept/);
    assert.ok(existsSync(state));
    const other = await dualtoken(...args, '--resume', '--limit', '7');
    assert.is(other.code, 1);
    assert.match(messageOf(other), /belongs to another evaluation: limit was not stated, now it is 7/);
    const resumed = await dualtoken(...args, '--resume');
    assert.is(resumed.code, 0, resumed.stderr);
    assert.match(resumed.stderr, /pictures 5\/12/);
    const whole = await evaluate(`${state}-2`, 'retrieval', model, pictures, '--json');
    assert.equal(JSON.parse(resumed.stdout), JSON.parse(whole.stdout));
    assert.not.ok(existsSync(state));
  });
});

test.run();
