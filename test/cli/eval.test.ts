// `dualtoken eval` on a SigLIP and pictures that are small enough: its options and what it prints; and once as a user runs it.
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { evalCommand } from '../../src/cli/commands/eval.ts';
import { explainFailure } from '../../src/cli/failure.ts';
import { dualtoken, dualtokenAfter, dualtokenHere, messageOf, writeTinyTokenizer } from '../support/command.ts';
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

interface Evaluated {
  readonly stdout: string;
  readonly failure: string;
}

/** The command in this process: what it writes to standard output, and its failure as a person reads it. */
const evaluate = (state: string, ...args: readonly string[]): Promise<Evaluated> =>
  evaluateIn('', ...args, '--state', state);

/** The same without a name for its state, ended by Ctrl-C when standard error says `interruptAt`. */
const evaluateIn = async (interruptAt: string, ...args: readonly string[]): Promise<Evaluated> => {
  const program = new Command('dualtoken').exitOverride().configureOutput({ writeErr: () => undefined });
  evalCommand(program).copyInheritedSettings(program);
  const [out, err] = [process.stdout.write, process.stderr.write];
  let stdout = '';
  process.stdout.write = (text: string | Uint8Array) => {
    stdout += String(text);
    return true;
  };
  process.stderr.write = (text: string | Uint8Array) => {
    if (interruptAt !== '' && String(text).includes(interruptAt)) process.emit('SIGINT');
    return true;
  };
  try {
    await program.parseAsync(['eval', ...args, ...common], { from: 'user' });
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
    await refused(/500 neighbours, and 12 training pictures/, 'knn', model, pictures, '--neighbours', '500');
    await refused(/pictures: the folder holds neither/, 'probe', pictures, pictures);
    await refused(
      /--lpips-heads are of no use without their network: .* --lpips/,
      'reconstruction',
      tiny,
      pictures,
      '--lpips-heads',
      tiny,
    );
    const again = await evaluate(`${state}-none`, 'probe', model, pictures, '--resume');
    assert.match(again.failure, /state-none: there is no state of this evaluation, .* to go on with/);
  });
});

test('--help says what a file of classes looks like', async () => {
  const help = await dualtokenHere({}, 'eval', 'zero-shot', '--help');
  assert.match(help.stdout.replace(/\s+/g, ' '), /JSON: {"classes": \["cat"\], "templates": \["a photo of a {}."\]}/);
});

test('data are a path or a form in JSON; which split of CIFAR is meant must be said', async () => {
  await withTiny(async ({ model, pictures, state }) => {
    const probe = async (...data: readonly unknown[]): Promise<Evaluated> =>
      evaluate(
        state,
        'probe',
        model,
        ...data.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))),
        '--json',
      );
    const refused = async (message: RegExp, ...data: readonly unknown[]): Promise<void> =>
      assert.match((await probe(...data)).failure, message);
    const byPath = await probe(pictures);
    assert.is(byPath.failure, '');
    assert.equal(await probe({ kind: 'folder', path: pictures }), byPath);
    const tiny = join(pictures, '..', 'tiny.safetensors');
    await writeTinyTokenizer(tiny);
    await writeFile(join(pictures, 'captions.txt'), 'of something else\n');
    assert.equal(await probe(pictures), byPath);
    assert.is((await evaluate(state, 'reconstruction', tiny, pictures)).failure, '');
    await refused(/captions.txt: line 1/, { kind: 'folder', path: pictures, captions: join(pictures, 'captions.txt') });
    await refused(/data {"kind":"tar".*}: kind: .*'folder' \| 'webdataset'/, { kind: 'tar', path: pictures });
    await refused(/}: path: .*expected string/, { kind: 'folder' });
    await refused(/}: lables: there is no such key; the nearest is 'labels'/, {
      kind: 'folder',
      path: '.',
      lables: true,
    });
    await refused(/data {"kind": folder}: this is no JSON/, '{"kind": folder}');
    await refused(/{a,b}\/\*.jpg: no file matches this pattern/, '{a,b}/*.jpg');
    const retrieval = await evaluate(state, 'retrieval', model, '{"kind": "cifar10", "path": "x"}', '--captions', 'y');
    assert.match(retrieval.failure, /--captions: that is for a folder of pictures; say in {"kind.* of a cifar10/);
    const karpathy = join(pictures, '..', 'dataset.json');
    const images = ['cat/0.png', 'cat/1.png', 'dog/2.png'].map((name, n) => ({
      filename: name,
      split: n < 2 ? 'test' : 'train',
      sentences: [{ raw: 'a cat' }],
    }));
    await writeFile(karpathy, JSON.stringify({ images }));
    const options = ['--captions', karpathy, '--split', 'test', '--json'];
    assert.is(JSON.parse((await evaluate(state, 'retrieval', model, pictures, ...options)).stdout).images, 2);
    const cifar = join(pictures, '..', 'cifar');
    await mkdir(cifar);
    for (const [name, records] of [
      ['data_batch_1.bin', 4],
      ['test_batch.bin', 3],
    ] as const) {
      const record = (label: number) =>
        Uint8Array.from({ length: 3073 }, (_, i) => (i === 0 ? label : (i * (label + 3)) % 251));
      await writeFile(join(cifar, name), Buffer.concat(Array.from({ length: records }, (_, n) => record(n % 2))));
    }
    const cifar10 = { kind: 'cifar10', path: cifar };
    for (const folder of [cifar, cifar10])
      await refused(
        /choose one, as '.*cifar\/test_batch\*' or '.*data_batch\*'/,
        { ...cifar10, split: 'train' },
        folder,
      );
    const split = JSON.parse((await probe({ ...cifar10, split: 'train' }, `${cifar}/test*`)).stdout);
    assert.equal([split.train, split.test], [4, 3]);
  });
});

test('a stopped evaluation is gone on with only with the same files, and no other writes over its state', async () => {
  await withTiny(async ({ model, pictures }) => {
    const labels = join(pictures, '..', 'labels.json');
    const write = (by: number) =>
      writeFile(
        labels,
        JSON.stringify(
          Object.fromEntries(
            ['cat', 'dog'].flatMap((name, c) => [0, 1, 2, 3, 4, 5].map((n) => [`${name}/${n}.png`, (c + by * n) % 2])),
          ),
        ),
      );
    await write(0);
    const before = process.cwd();
    process.chdir(join(pictures, '..'));
    try {
      const probe = ['probe', model, pictures, '--labels', labels, '--json'];
      const stopped = await evaluateIn('training 0/12', ...probe);
      const { state } = JSON.parse(stopped.stdout);
      assert.match(state, /^out.eval-probe-[0-9a-f]{8}\.state\.safetensors$/);
      for (const other of [
        ['probe', model, pictures],
        ['probe', model, pictures, '--feature', 'mean', '--labels', labels],
        ['probe', model, pictures, pictures, '--labels', labels],
      ])
        assert.is((await evaluateIn('', ...other)).failure, '');
      assert.ok(existsSync(state), 'others leave it alone');
      assert.match(
        (await evaluateIn('', ...probe, '--resume', '--feature', 'mean')).failure,
        /there is no state of this evaluation/,
      );
      await write(1);
      assert.match(
        (await evaluateIn('', ...probe, '--resume')).failure,
        /belongs to another evaluation: labels, as written was \d+ bytes of .* Start anew, .* \(anew: without --resume; another path: --state\)/,
      );
      assert.is((await evaluateIn('', ...probe)).failure, '');
      assert.not.ok(existsSync(state), 'the same evaluation started anew, and removed it at its end');
    } finally {
      process.chdir(before);
    }
  });
});

test('Ctrl-C keeps the state, and --resume ends with the same figures', async () => {
  await withTiny(async ({ model, pictures, state }) => {
    const args = ['eval', 'retrieval', model, pictures, ...common, '--json', '--state', state];
    const stopped = await dualtokenAfter(['interrupt.ts'], { DUALTOKEN_TEST_INTERRUPT: 'pictures 0/12' }, ...args);
    assert.is(stopped.code, 130, stopped.stderr);
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
