// Readers that go away, and outputs that are full: nothing is thrown, and files are written all the same.
import { PassThrough } from 'node:stream';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { lostOutputs } from '../../src/cli/lost-outputs.ts';

const test = suite('lost outputs');

const failing = (code: string): Error => Object.assign(new Error(`write ${code}`), { code });
const streams = () => {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  let said = '';
  stderr.on('data', (chunk) => {
    said += chunk;
  });
  // A process's streams have more than is read of them here.
  const outputs = { stdout, stderr } as unknown as Pick<NodeJS.Process, 'stdout' | 'stderr'>;
  return { outputs, stdout, stderr, said: () => said };
};

test('a reader that went away is no failure, on either', () => {
  const { outputs, stdout, stderr, said } = streams();
  const lost = lostOutputs(outputs);
  stdout.emit('error', failing('EPIPE'));
  for (const code of ['EPIPE', 'EIO']) stderr.emit('error', failing(code));
  assert.is(lost(), false);
  assert.is(said(), '');
});

test('a full disk under standard output is said once', () => {
  const { outputs, stdout, said } = streams();
  const lost = lostOutputs(outputs);
  for (let i = 0; i < 3; i++) stdout.emit('error', failing('ENOSPC'));
  assert.is(lost(), true);
  assert.match(said(), /^dualtoken: standard output cannot be written: no space left[^\n]*\n$/);
});

test.run();
