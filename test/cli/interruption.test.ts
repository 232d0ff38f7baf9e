// Signals to a command that ends in order: one may come twice, a second Ctrl-C ends it at once, and the exit code tells which it was.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { projectDir } from '../support/shared.ts';

const test = suite('interruption');

/** Goes on until it is asked to stop, and then a second and a half more. */
const program = `
  const { interruption } = await import(process.argv[1]);
  const signal = interruption(() => process.stdout.write('stopping '));
  process.stdout.write('ready ');
  while (!signal.asked()) await new Promise((done) => setTimeout(done, 10));
  await new Promise((done) => setTimeout(done, 1500));
  process.stdout.write('in order ');
  try {
    signal.end();
  } catch (stopped) {
    process.exitCode = stopped.exitCode;
  }
  signal.release();
`;

/** What a process says and ends with that is sent signals, each after so many milliseconds. */
const sent = async (...signals: readonly (readonly [after: number, NodeJS.Signals])[]) => {
  const module = pathToFileURL(join(projectDir, 'src/cli/interruption.ts')).href;
  const args = ['--conditions=dualtoken-source', '--import', 'tsx', '--input-type=module', '-e', program, module];
  const child = spawn(process.execPath, args, { cwd: projectDir, stdio: ['ignore', 'pipe', 'inherit'] });
  const over = once(child, 'close');
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  while (!said.startsWith('ready')) await sleep(10);
  for (const [after, signal] of signals) {
    await sleep(after);
    child.kill(signal);
  }
  const [code] = await over;
  return [code, said.trim()];
};

test('a signal that comes twice, as of timeout, ends in order; a second Ctrl-C a second later ends at once', async () => {
  const order = 'ready stopping in order';
  const ended = await Promise.all([
    sent([0, 'SIGTERM'], [20, 'SIGTERM'], [1100, 'SIGTERM']),
    sent([0, 'SIGHUP'], [1100, 'SIGHUP']),
    sent([0, 'SIGINT'], [100, 'SIGINT']),
    sent([0, 'SIGINT'], [1100, 'SIGINT']),
    sent([0, 'SIGTERM'], [1100, 'SIGINT']),
  ]);
  assert.equal(ended, [
    [143, order],
    [129, order],
    [130, order],
    [130, 'ready stopping'],
    [143, order],
  ]);
});

test.run();
