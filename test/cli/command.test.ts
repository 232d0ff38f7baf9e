// The command: help, purity of --json, codes that make the way to a file and back, and training that resumes.
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readImage } from '../../src/data/index.ts';
import { dualtoken, dualtokenHere, dualtokenIn, type Ran, tinyModel, writeTinyTokenizer } from '../support/command.ts';
import { inFolder, run } from '../support/files.ts';
import { projectDir } from '../support/shared.ts';

const test = suite('dualtoken');
const photo = join(projectDir, 'assets/photos/coffee.png');

/** The one object on standard output. */
const jsonOf = ({ code, stdout, stderr }: Ran) => {
  assert.is(code, 0, stderr);
  assert.is(stdout.trimEnd().split('\n').length, 1, stdout);
  return JSON.parse(stdout);
};

test('every command has --help, with the shared options', async () => {
  const commands = ['devices', 'tokenize', 'reconstruct', 'train', 'explain', 'demo'];
  const top = await dualtoken('--help');
  for (const command of commands) {
    const { code, stdout } = await dualtokenHere({}, command, '--help');
    assert.is(code, 0);
    assert.match(top.stdout, command);
    for (const option of ['--json', '--backend', '--seed', '--help'])
      assert.match(stdout, option, `${command} has ${option}`);
  }
});

test('tune measures the heaviest kernels, keeps them, and knows them the next time', async () => {
  await inFolder(async (folder) => {
    const tune = (...more: readonly string[]) =>
      dualtokenIn(
        { DUALTOKEN_CACHE: folder },
        'tune',
        'mini',
        '--part',
        'decode',
        '--limit',
        '1',
        '--backend',
        'wasm',
        ...more,
      );
    const made = jsonOf(await tune('--json'));
    assert.is(made.measured, 1);
    assert.match(await readFile(made.file, 'utf8'), '"dualtoken-tuning"');
    const again = jsonOf(await tune('--json'));
    assert.equal([again.measured, again.known], [0, 1]);
    const old = (await readFile(made.file, 'utf8')).replace(/"templates":"([\w-]+)@\d+/, '"templates":"$1@0');
    assert.match(old, '@0');
    await writeFile(made.file, old);
    const renewed = jsonOf(await tune('--json'));
    assert.equal([renewed.measured, renewed.known], [1, 0]);
  });
  const nowhere = await dualtokenHere({ DUALTOKEN_CACHE: 'off' }, 'tune', 'mini');
  assert.is(nowhere.code, 1);
  assert.match(nowhere.stderr, 'DUALTOKEN_CACHE');
  const unknown = await dualtokenHere({}, 'tune', 'maxi');
  assert.is(unknown.code, 1);
  assert.match(unknown.stderr, "there is no variant 'maxi'");
});

test('devices --json', async () => {
  const found = jsonOf(await dualtokenHere({ DUALTOKEN_THREADS: '3' }, 'devices', '--json'));
  assert.ok(found.devices.length >= 1);
  const named = (name: string) => found.devices.find((d: { backend: string }) => d.backend === name);
  assert.ok(named('gpujs').available && named('wasm').available);
  assert.match(named('wasm').adapter, /^WebAssembly, 128-bit SIMD.*, 3 threads$/);
  const { available, software } = named('webgpu');
  assert.is(found.default, available && !software ? 'webgpu' : 'wasm');
});

test('explain --json on the null backend, a forward part and the training step', async () => {
  const encode = jsonOf(await dualtokenHere({}, 'explain', 'mini', '--backend', 'null', '--json'));
  assert.ok(encode.dispatches > 10 && encode.steps.length >= encode.dispatches);
  const step = jsonOf(
    await dualtokenHere({}, 'explain', 'mini', '--part', 'step', '--batch', '2', '--backend', 'null', '--json'),
  );
  assert.ok(step.dispatches > encode.dispatches);
});

for (const backend of ['wasm', 'gpujs'] as const)
  test(`codes go to a file and come back as a picture (${backend})`, async () => {
    await inFolder(async (folder) => {
      const model = join(folder, 'tiny.safetensors');
      await writeTinyTokenizer(model);
      const common = ['--checkpoint', model, '--backend', backend, '--json'];
      const out = join(folder, 'codes.json');
      const made = jsonOf(await dualtoken('tokenize', photo, '--out', out, ...common));
      assert.equal(made.grid, [2, 2]);
      assert.is(made.depth, 2);
      assert.is(made.images[0].pixel.length, 8);
      assert.is(made.images[0].semantic.length, 8);
      assert.equal(JSON.parse(await readFile(out, 'utf8')), made);
      const painted = jsonOf(await dualtoken('reconstruct', out, '--out', folder, ...common));
      const picture = await run(readImage(painted.pictures[0].picture));
      assert.is(picture.width, 16);
    });
  });

test('photos of one name in two folders become two pictures; --trace writes one', async () => {
  await inFolder(async (folder) => {
    const model = join(folder, 'tiny.safetensors');
    await writeTinyTokenizer(model);
    const photos = ['a', 'b'].map((name) => join(folder, name, 'photo.png'));
    for (const to of photos) {
      await mkdir(dirname(to));
      await copyFile(photo, to);
    }
    const [out, trace] = [join(folder, 'out'), join(folder, 'trace.json')];
    const common = ['--out', out, '--checkpoint', model, '--backend', 'wasm', '--json'];
    const painted = jsonOf(await dualtoken('reconstruct', ...photos, '--trace', trace, ...common));
    assert.equal(
      painted.pictures.map((p: { picture: string }) => p.picture),
      [join(out, 'photo-reconstructed.png'), join(out, 'photo-reconstructed-2.png')],
    );
    assert.equal((await readdir(out)).sort(), ['photo-reconstructed-2.png', 'photo-reconstructed.png']);
    assert.ok(JSON.parse(await readFile(trace, 'utf8')).traceEvents.length > 0);
  });
});

test('the demo needs no adapter', async () => {
  await inFolder(async (folder) => {
    const out = join(folder, 'out');
    const { adapter, images } = jsonOf(await dualtoken('demo', '--backend', 'wasm', '--out', out, '--json'));
    assert.match(adapter, /^WebAssembly/);
    assert.is(images.length, 2);
    for (const { psnr, files } of images) {
      assert.ok(psnr > 20, `PSNR ${psnr}`);
      for (const file of files) assert.ok((await readFile(file)).length > 0);
    }
  });
});

test('explain --dump --json carries the text', async () => {
  const { dump } = jsonOf(await dualtokenHere({}, 'explain', 'mini', '--dump', 'print', '--backend', 'null', '--json'));
  assert.is(dump.pass, 'print');
  assert.match(dump.text, '@compute');
});

test('training stops, resumes, and gives the losses of a straight run', async () => {
  await inFolder(async (folder) => {
    const config = join(folder, 'tiny.json');
    const settings = {
      model: tinyModel,
      batchSize: 2,
      sampleEvery: 100,
      schedule: { kind: 'constant', warmup: 0 },
    };
    await writeFile(config, JSON.stringify(settings));
    const train = (out: string, ...more: readonly string[]) =>
      dualtoken(
        'train',
        join(projectDir, 'assets/photos'),
        '--config',
        config,
        '--out',
        join(folder, out),
        '--backend',
        'wasm',
        '--json',
        ...more,
      );
    const straight = jsonOf(await train('a', '--steps', '5'));
    assert.is(straight.step, 5);
    assert.is(straight.sample, 10);
    jsonOf(await train('b', '--steps', '3'));
    const again = await train('b', '--steps', '5');
    assert.is(again.code, 1);
    assert.match(again.stderr, '--resume');
    const resumed = jsonOf(await train('b', '--steps', '5', '--resume'));
    assert.is(resumed.step, 5);
    const losses = async (out: string) =>
      (await readFile(join(folder, out, 'log.jsonl'), 'utf8'))
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
        .filter((line) => 'loss' in line)
        .map(({ step, loss, gradNorm }) => [step, loss, gradNorm]);
    assert.equal(await losses('b'), await losses('a'));
    // The model of a run is a checkpoint for the other commands.
    const codes = jsonOf(
      await dualtoken('tokenize', photo, '--checkpoint', straight.model, '--backend', 'wasm', '--json'),
    );
    assert.is(codes.images[0].pixel.length, 8);
  });
});

test.run();
