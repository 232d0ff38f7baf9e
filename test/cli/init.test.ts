// `dualtoken init`: a variant that nobody trained, which the other commands take.
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { byteCount } from '../../src/cli/bytes-text.ts';
import { outputTo } from '../../src/cli/output.ts';
import { taskProgress } from '../../src/cli/task-progress.ts';
import { dualtoken, messageOf } from '../support/command.ts';
import { inFolder } from '../support/files.ts';
import { projectDir } from '../support/shared.ts';

const test = suite('dualtoken init');

test('a checkpoint in the published layout, and codes by it', () =>
  inFolder(async (folder) => {
    const out = join(folder, 'mini');
    const init = (...more: readonly string[]) => dualtoken('init', 'mini', '--out', out, '--backend', 'wasm', ...more);
    const made = await init('--shard-size', '2MB', '--json');
    assert.is(made.code, 0, made.stderr);
    const { values, tensors, dtype } = JSON.parse(made.stdout);
    assert.equal([dtype, tensors], ['f16', 252]);
    assert.ok(values > 2_500_000);
    assert.equal((await readdir(out)).slice(0, 2), ['config.json', 'model-00001-of-00003.safetensors']);
    assert.match(
      messageOf(await init()),
      `cannot write ${out}: it is there already: name another folder, or remove it`,
    );
    const photo = join(projectDir, 'assets/photos/coffee.png');
    const coded = await dualtoken('tokenize', photo, '--checkpoint', out, '--backend', 'wasm', '--json');
    assert.is(coded.code, 0, coded.stderr);
    const { grid, images } = JSON.parse(coded.stdout);
    assert.equal([grid, images[0].pixel.length, images[0].semantic.length], [[8, 8], 256, 256]);
  }));

test('a variant that is not there, a place that cannot be written, a size that is none', async () => {
  await inFolder(async (folder) => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    const init = (...args: readonly string[]) => dualtoken('init', ...args, '--backend', 'wasm');
    const [unknown, through, size] = await Promise.all([
      init('maxi', '--out', join(folder, 'a')),
      init('mini', '--out', join(file, 'a')),
      init('mini', '--out', join(folder, 'a'), '--shard-size', 'much'),
    ]);
    assert.match(messageOf(unknown), /^dualtoken: there is no variant 'maxi'; there are dualtoken-so400m, /);
    assert.match(messageOf(through), `cannot write ${join(file, 'a')}`);
    assert.match(messageOf(size), "argument 'much' is invalid. It must be a number of bytes, as 500MB or 2GB.");
    for (const { code } of [unknown, through, size]) assert.is(code, 1);
    assert.equal(await readdir(folder), ['file']);
  });
});

test('numbers of bytes', () => {
  assert.equal(['1', '500MB', '2GB', '1.5 GiB', '3KiB'].map(byteCount), [1, 5e8, 2e9, 1.5 * 2 ** 30, 3072]);
  for (const wrong of ['', '0', '-1', '2TB', 'GB']) assert.throws(() => byteCount(wrong), /number of bytes/);
});

test('what takes long is shown: a bar on a terminal, else lines; what does not is not', () => {
  const real = performance.now;
  let now = 0;
  performance.now = () => now;
  try {
    for (const isTTY of [true, false]) {
      let [drawn, logged] = ['', ''];
      const write = (chunk: unknown, _: unknown, done: () => void) => {
        drawn += String(chunk);
        done();
      };
      const stream = Object.assign(new Writable({ write }), { isTTY, columns: 80 });
      const output = outputTo(
        false,
        () => {},
        (text) => {
          logged += text;
        },
      );
      const progress = taskProgress(output, stream);
      progress.begin('loading');
      now += 1000;
      progress.show(0.9);
      assert.is(drawn + logged, '');
      progress.begin('encoding');
      now += 5000;
      progress.show(0.25);
      now += 1000;
      progress.show(0.3);
      progress.stop();
      if (isTTY) {
        assert.match(drawn, /30 % {2}14s left {2}encoding/);
        assert.is(logged, '');
      } else {
        assert.is(drawn, '');
        assert.is(logged, 'encoding, 25 %, 15s left\n');
      }
    }
  } finally {
    performance.now = real;
  }
});

test.run();
