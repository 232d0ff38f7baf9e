// One run at a time in a folder: a second process is refused by name, and what a killed one left is taken over.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TrainFailure } from '../../src/train/failure.ts';
import { lockFolder } from '../../src/train/lock.ts';
import { inFolder } from '../support/files.ts';

const test = suite('locks');
const refused = (folder: string): Promise<string> =>
  lockFolder(folder).then(
    () => 'it was taken',
    (thrown: unknown) => {
      assert.instance(thrown, TrainFailure);
      return String(thrown);
    },
  );

test('a folder is taken and let go of', () =>
  inFolder(async (folder) => {
    const at = join(folder, 'run');
    const release = await lockFolder(at);
    assert.match(await readFile(join(at, '.running'), 'utf8'), new RegExp(`^${process.pid} `));
    await release();
    assert.equal(await readdir(at), []);
  }));

test('while another process lives its folder is refused; when it was killed the folder is taken over', () =>
  inFolder(async (folder) => {
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    await once(other, 'spawn');
    await writeFile(join(folder, '.running'), `${other.pid} ${hostname()}\n`);
    assert.match(
      await refused(folder),
      new RegExp(`process ${other.pid} on .* trains in .*name another folder by out`),
    );
    other.kill('SIGKILL');
    await once(other, 'exit');
    const release = await lockFolder(folder);
    await release();
    assert.equal(await readdir(folder), []);
  }));

test('a lock of another machine, or one that says nothing, stays', () =>
  inFolder(async (folder) => {
    for (const content of ['1 elsewhere\n', '']) {
      await writeFile(join(folder, '.running'), content);
      assert.match(await refused(folder), /remove .*\.running/);
    }
  }));

test('an empty lock is of a process that was killed before it wrote into it, when it is old', () =>
  inFolder(async (folder) => {
    const path = join(folder, '.running');
    await writeFile(path, '');
    assert.match(await refused(folder), /remove .*\.running/);
    const before = new Date(Date.now() - 120_000);
    await utimes(path, before, before);
    const release = await lockFolder(folder);
    assert.match(await readFile(path, 'utf8'), new RegExp(`^${process.pid} `));
    await release();
  }));

test.run();
