// `dualtoken tune` under Ctrl-C: it ends in order, keeps what it measured, and goes on where it stopped.
import { spawn } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { commandLine, dualtokenIn } from '../support/command.ts';
import { inFolder } from '../support/files.ts';
import { projectDir } from '../support/shared.ts';
import { skip } from '../support/skip.ts';

const test = suite('dualtoken tune');
const args = ['tune', 'mini', '--part', 'decode', '--backend', 'webgpu', '--json'];

interface Stopped {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command, and interrupts it once the first kernel is measured. */
const interrupted = (folder: string): Promise<Stopped> =>
  new Promise((done, failed) => {
    const child = spawn(process.execPath, [...commandLine(), ...args], {
      cwd: projectDir,
      env: { ...process.env, DUALTOKEN_CACHE: folder },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      const before = / of untuned/.test(stderr);
      stderr += text;
      if (!before && / of untuned/.test(stderr)) child.kill('SIGINT');
    });
    child.on('error', failed).on('close', (code) => done({ code, stdout, stderr }));
  });

test('Ctrl-C keeps what was measured, and the next run knows it', async () => {
  await inFolder(async (folder) => {
    const { code, stdout, stderr } = await interrupted(folder);
    if (/no WebGPU adapter/.test(stderr)) return skip('tune: no adapter');
    assert.is(code, 130, stderr);
    const first = JSON.parse(stdout);
    assert.is(first.stopped, true);
    assert.ok(first.measured >= 1);
    assert.match(stderr, 'what was measured is kept');
    const again = JSON.parse((await dualtokenIn({ DUALTOKEN_CACHE: folder }, ...args, '--limit', '1')).stdout);
    assert.equal([again.measured, again.known, again.stopped], [0, 1, false]);
  });
});

test.run();
