// Whatever a user gets wrong: exit code 1, one message that names the thing, nothing on standard output, nothing half-written.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { webGpu } from '../support/backends.ts';
import {
  dualtoken,
  dualtokenAfter,
  dualtokenHere,
  messageOf,
  tinyModel,
  writeTinyTokenizer,
} from '../support/command.ts';
import { inFolder } from '../support/files.ts';
import { projectDir } from '../support/shared.ts';
import { shrunk } from '../support/tiny-variants.ts';

const test = suite('bad input');
const photos = join(projectDir, 'assets/photos');
const photo = join(photos, 'coffee.png');

/** Fails with code 1, a message that `pattern` matches, and no more than `lines` lines. */
const refused = async (
  args: readonly string[],
  pattern: RegExp,
  lines = 3,
  env: Readonly<Record<string, string>> = {},
): Promise<void> => {
  const ran = await dualtokenHere(env, ...args);
  const message = messageOf(ran);
  assert.is(ran.code, 1, `${args.join(' ')}: ${ran.stderr}`);
  assert.match(message, pattern);
  assert.is(ran.stdout, '', args.join(' '));
  assert.ok(message.split('\n').length <= lines, message);
  assert.not.match(message, /please report|node_modules/, 'a fault of ours');
};

test('the process ends with that exit code', async () => {
  const { code, stdout, stderr } = await dualtoken('tokenise');
  assert.is(code, 1);
  assert.is(stdout, '');
  assert.match(stderr, /^dualtoken: unknown command 'tokenise'/);
});

test('unknown commands, options and values', async () => {
  await refused(['tokenise'], /unknown command 'tokenise'.*\n?.*tokenize/);
  await refused(['tokenize', photo, '--jsn'], /unknown option '--jsn'[\s\S]*--json/);
  await refused(['devices', '--backend', 'cuda'], /--backend[\s\S]*webgpu, wasm, gpujs, null/);
  await refused(['train', photos, '--steps', 'many'], /--steps[\s\S]*whole number/);
  await refused(
    ['explain', 'mini', '--dump', 'fusion', '--backend', 'null'],
    /--dump[\s\S]*canonical, simplify, select/,
  );
  await refused(['explain', 'maxi', '--backend', 'null'], /'maxi'.*mini/);
  await refused(['tokenize'], /missing required argument 'photos'/);
  for (const name of ['constructor', '__proto__', 'toString']) {
    await refused(['explain', name, '--backend', 'null'], new RegExp(`there is no variant '${name}'`));
    await refused(['train', photos, '--variant', name], new RegExp(`'${name}' is unknown`));
  }
});

test('threads that are no number', async () => {
  for (const threads of ['0', 'two', '1.5']) {
    const env = { DUALTOKEN_THREADS: threads };
    const message = new RegExp(`^dualtoken: backend wasm: DUALTOKEN_THREADS is '${threads}'; .* from 1 to 256$`);
    await refused(['explain', 'mini', '--backend', 'wasm'], message, 1, env);
    await refused(['demo', '--backend', 'wasm', '--out', join(photos, 'none')], message, 1, env);
  }
  assert.not.ok((await readdir(photos)).includes('none'));
});

test('files that are missing or are not what their names say', async () => {
  await inFolder(async (folder) => {
    const model = join(folder, 'tiny.safetensors');
    await writeTinyTokenizer(model);
    const [text, cut, empty, codes] = ['text.png', 'cut.safetensors', 'empty', 'codes.json'].map((n) =>
      join(folder, n),
    ) as [string, string, string, string];
    await writeFile(text, 'this is no picture');
    const whole = await readFile(model);
    await writeFile(cut, whole.subarray(0, whole.length - 1000));
    await mkdir(empty);
    await writeFile(codes, '{"grid": [2,');
    const common = ['--checkpoint', model, '--backend', 'wasm'];
    await refused(['tokenize', join(folder, 'none.png'), ...common], /none\.png: no such file/);
    await refused(['tokenize', text, ...common], /text\.png.*not an image/);
    await refused(['tokenize', photo, '--checkpoint', cut, '--backend', 'wasm'], /cut\.safetensors/);
    await refused(
      ['tokenize', photo, '--checkpoint', join(folder, 'no.safetensors'), '--backend', 'wasm'],
      /no\.safetensors: no such file/,
    );
    await refused(['reconstruct', codes, ...common], /codes\.json.*JSON/);
    // Nothing is painted where anything is wrong.
    await refused(['reconstruct', photo, text, '--out', join(folder, 'out'), ...common], /text\.png.*not an image/);
    await refused(['train', empty, '--out', join(folder, 'run')], /empty: it is, or holds, none of these: pictures/);
    assert.equal((await readdir(folder)).sort(), [
      'codes.json',
      'cut.safetensors',
      'empty',
      'text.png',
      'tiny.safetensors',
    ]);
  });
});

test('configurations: every fault at once, unknown keys with the nearest', async () => {
  await inFolder(async (folder) => {
    const config = join(folder, 'train.json');
    const train = ['train', photos, '--config', config, '--out', join(folder, 'run')];
    await writeFile(config, '{ "steps": 5');
    await refused(train, /cannot read .*train\.json: this is not JSON/);
    await writeFile(config, JSON.stringify({ stepz: 5, optimizer: { learningrate: 1 }, batchSize: -1 }));
    await refused(train, /stepz.*'steps'/, 5);
    await refused(train, /optimizer\.learningrate.*'learningRate'/, 5);
    await refused(train, /batchSize/, 5);
    await writeFile(config, JSON.stringify({ variant: 'maxi' }));
    await refused(train, /'maxi'.*mini/);
    await writeFile(config, JSON.stringify({ model: { quantiser: { dim: 33 } } }));
    await refused(train, /train\.json:\n {2}model\.quantiser\.dim is 33/);
    await writeFile(config, JSON.stringify({ bogus: 1, model: { visoin: {}, quantiser: { coeds: 3 } } }));
    await refused(train, /bogus: there is no such key; there are variant, model, losses, data/, 5);
    await refused(train, /model\.quantiser\.coeds: .*'codes'[\s\S]*model\.visoin: .*'vision'/, 5);
    await refused(['train', photos, '--out', join(folder, 'run'), '--resume'], /no checkpoint to resume/);
    assert.equal(await readdir(folder), ['train.json']);
  });
});

test('folders that cannot be written, sizes that no adapter holds', async () => {
  await inFolder(async (folder) => {
    const [file, huge] = [join(folder, 'file'), join(folder, 'huge.json')];
    await writeFile(file, '');
    await refused(['train', photos, '--out', join(file, 'run'), '--backend', 'wasm'], /cannot (write|list) .*file/);
    await refused(
      ['train', photos, '--out', join(folder, 'run'), '--backend', 'wasm', '--batch-size', '1000000'],
      /batchSize 1000000.*MiB/,
    );
    await writeFile(huge, JSON.stringify({ model: { vision: { hidden_size: 64_000, num_attention_heads: 4 } } }));
    await refused(
      ['train', photos, '--config', huge, '--out', join(folder, 'run'), '--backend', 'wasm'],
      /the model: \S+weight \[.*64000.*\] takes \d+ MiB; this adapter allows/,
    );
    await refused(['explain', 'dualtoken-so400m', '--batch', '4096', '--backend', 'null'], /32-bit|allows/);
    const model = join(folder, 'tiny.safetensors');
    await writeTinyTokenizer(model);
    const common = ['--checkpoint', model, '--backend', 'wasm'];
    await refused(
      ['tokenize', photo, '--out', join(file, 'codes.json'), '--json', ...common],
      /cannot write .*codes\.json/,
    );
    assert.equal((await readdir(folder)).sort(), ['file', 'huge.json', 'tiny.safetensors']);
  });
});

test('models that hold no codes, or values that are no numbers', () =>
  inFolder(async (folder) => {
    const [tower, broken] = ['tower', 'broken'].map((name) => join(folder, `${name}.safetensors`)) as [string, string];
    await writeTinyTokenizer(tower, shrunk('mini-siglip'));
    await refused(['tokenize', photo, '--checkpoint', tower, '--backend', 'wasm'], /this model has no codes/);
    await writeTinyTokenizer(broken);
    const bytes = await readFile(broken);
    // The last value of the last tensor: NaN in f16.
    bytes.writeUInt16LE(0x7e00, bytes.length - 2);
    await writeFile(broken, bytes);
    await refused(
      ['tokenize', photo, '--checkpoint', broken, '--backend', 'wasm'],
      /broken\.safetensors, tensor ".*": holds values that are infinite or no numbers/,
    );
  }));

test('a device that is lost, at once or in the middle of a training', async () => {
  if (!(await webGpu())) return;
  await inFolder(async (folder) => {
    const [model, config, out] = ['tiny.safetensors', 'tiny.json', 'out'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    await writeTinyTokenizer(model);
    // Without a discriminator, whose programs a software driver compiles for a minute.
    const losses = [
      { kind: 'pixel', weight: 1 },
      { kind: 'commitment', weight: 1 },
    ];
    await writeFile(config, JSON.stringify({ model: tinyModel, losses, batchSize: 2, sampleEvery: 100 }));
    const cases = [
      [0, 'tokenize', photo, '--checkpoint', model],
      [0, 'reconstruct', photo, '--checkpoint', model, '--out', out],
      [20, 'train', photos, '--out', join(folder, 'run'), '--config', config],
    ] as const;
    for (const [after, ...args] of cases) {
      const env = { LOSE_DEVICE_AFTER: String(after) };
      const ran = await dualtokenAfter(['lose-device.ts'], env, ...args, '--backend', 'webgpu', '--json');
      assert.is(ran.code, 1, `${args[0]}: ${ran.stdout}${ran.stderr}`);
      assert.match(messageOf(ran), /device was lost/, args[0]);
      assert.is(ran.stdout, '', args[0]);
    }
    assert.equal((await readdir(folder)).filter((name) => name !== 'run').sort(), ['tiny.json', 'tiny.safetensors']);
    assert.equal(
      (await readdir(join(folder, 'run'))).filter((name) => name.endsWith('.tmp')),
      [],
    );
  });
});

test.run();
