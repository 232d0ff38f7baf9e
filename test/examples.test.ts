// Every example runs, at a small size, within its time; and stays short.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { projectDir } from './support/shared.ts';

// An example takes under 20 s on a machine of its own; the tests run two files at a time on two cores.
const LIMIT_SECONDS = 45;
const MOST_LINES = 80;

const examples = suite('examples');
const folder = join(projectDir, 'examples');
const files = existsSync(folder) ? readdirSync(folder).filter((file) => /^\d\d-.*\.ts$/.test(file)) : [];

const node = (file: string, ...args: string[]) =>
  spawnSync(process.execPath, ['--conditions=dualtoken-source', '--import', 'tsx', join(folder, file), ...args], {
    cwd: projectDir,
    encoding: 'utf8',
    env: { ...process.env, DUALTOKEN_EXAMPLE_SMALL: '1' },
    timeout: LIMIT_SECONDS * 1000,
  });

for (const file of files.sort()) {
  examples(`${file} runs within ${LIMIT_SECONDS} s and prints something`, () => {
    const { status, signal, stdout, stderr } = node(file);
    assert.is(signal, null, `not finished after ${LIMIT_SECONDS} s; so far:\n${stdout}`);
    assert.is(status, 0, `exit code ${status}:\n${stdout}\n${stderr}`);
    assert.ok(stdout.trim().length > 0, 'prints nothing');
  });

  examples(`${file} is at most ${MOST_LINES} lines and says what it is`, () => {
    const source = readFileSync(join(folder, file), 'utf8');
    assert.ok(source.trimEnd().split('\n').length <= MOST_LINES, `longer than ${MOST_LINES} lines`);
    assert.match(source, /^\/\/ \S/, 'starts without a comment line for `npm run example`');
  });
}

examples('the list names them all', () => {
  const { status, stdout } = node('run.ts');
  assert.is(status, 0);
  for (const file of files) assert.match(stdout, file.replace(/\.ts$/, ''));
});

examples('an unknown name lists what there is and fails', () => {
  const { status, stderr } = node('run.ts', '99-nothing');
  assert.is(status, 1);
  assert.match(stderr, "No example is called '99-nothing'");
});

examples.run();
