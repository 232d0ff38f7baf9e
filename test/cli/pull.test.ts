// `dualtoken pull` against a hub on this machine: what arrives, what is printed, and no hub at all.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { dualtokenHere, dualtokenIn, messageOf } from '../support/command.ts';
import { inFolder } from '../support/files.ts';
import { withHub } from '../support/hub.ts';

const test = suite('dualtoken pull');

const files = {
  'config.json': Buffer.from('{}'),
  'model.safetensors': Buffer.alloc(200_000, 7),
  'pytorch_model.bin': Buffer.alloc(10),
};

test('fetches what models are read from, then finds it there; without a hub it says so in one line', () =>
  inFolder(async (folder) => {
    const out = join(folder, 'tower');
    const pull = (env: Readonly<Record<string, string>>, ...more: readonly string[]) =>
      dualtokenIn(env, 'pull', 'acme/tower', '--out', out, ...more);
    let env = {};
    await withHub(files, async (hub) => {
      env = { HF_ENDPOINT: hub.url, HF_TOKEN: '' };
      const first = await pull(env);
      assert.is(first.code, 0, first.stderr);
      assert.is(first.stdout, `${out}: 2 files, 195.3 KiB; 2 fetched, 0 were there\n`);
      assert.match(first.stderr, /left out, but fetched by --file PATTERN: pytorch_model\.bin\n/);
      assert.equal((await readdir(out)).sort(), ['config.json', 'model.safetensors']);
      assert.ok(files['model.safetensors'].equals(await readFile(join(out, 'model.safetensors'))));
      const again = await pull(env, '--file', '*.bin', '--file', 'config.json', '--json');
      assert.is(again.code, 0, again.stderr);
      assert.equal(JSON.parse(again.stdout), {
        repository: 'acme/tower',
        revision: 'main',
        out,
        files: [
          { path: join(out, 'config.json'), bytes: 2, fetched: false },
          { path: join(out, 'pytorch_model.bin'), bytes: 10, fetched: true },
        ],
      });
    });
    const offline = await pull(env);
    assert.is(offline.code, 1);
    assert.is(offline.stdout, '');
    assert.match(messageOf(offline), /^dualtoken: acme\/tower: the hub cannot be reached at .*HF_ENDPOINT.*$/);
  }));

test('names that would steer the terminal are shown without what steers it', () =>
  inFolder((folder) =>
    withHub({ 'a\u001b[31m\nb.txt': Buffer.from('x'), 'c\u202e\u0007.bin': Buffer.from('y') }, async (hub) => {
      const pull = (...more: readonly string[]) =>
        dualtokenHere(
          { HF_ENDPOINT: hub.url, HF_TOKEN: '' },
          'pull',
          'acme/tower',
          '--out',
          join(folder, 'x'),
          ...more,
        );
      const fetched = await pull();
      assert.is(fetched.code, 0, fetched.stderr);
      assert.is(messageOf(fetched), 'left out, but fetched by --file PATTERN: c��.bin\n0 B of 1 B, a�[31m�b.txt');
      const refused = await pull('--file', '*.gguf');
      assert.match(messageOf(refused), /the repository holds a�\[31m�b\.txt, c��\.bin$/);
    }),
  ));

test.run();
