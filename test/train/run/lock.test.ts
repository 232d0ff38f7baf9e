// One run at a time in a folder: a second process is refused by name, and what a killed one left is taken over.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isOver, thisProcess } from '../../../src/files/process-id.ts';
import { TrainFailure } from '../../../src/train/failure.ts';
import { lockFolder } from '../../../src/train/run/lock.ts';
import { inFolder } from '../../support/files.ts';
import { projectDir } from '../../support/shared.ts';

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

test('the same process does not take its folder twice, by whatever path; what another one has by now is not let go of', () =>
  inFolder(async (folder) => {
    const release = await lockFolder(folder);
    assert.match(await refused(join(folder, '..', basename(folder))), /this very process trains in/);
    await writeFile(join(folder, '.running'), '1 elsewhere\n');
    await release();
    assert.is(await readFile(join(folder, '.running'), 'utf8'), '1 elsewhere\n');
    await rm(join(folder, '.running'));
    await (await lockFolder(folder))();
  }));

test('a number says nothing of another namespace or machine; after a restart, and where it is used again, its process is over', () => {
  const own = { ...thisProcess(), machine: 'm', boot: 'b', namespace: 'n' };
  const over = (change: Partial<typeof own>): boolean => isOver({ ...own, ...change }, own);
  const none = 2 ** 22 + 1;
  assert.not(over({}));
  assert.ok(over({ pid: none }));
  for (const change of [{ namespace: 'other' }, { machine: 'other' }, { host: 'other' }])
    assert.not(over({ pid: none, boot: 'other', ...change }), JSON.stringify(change));
  assert.ok(over({ boot: 'other' }));
  if (own.started !== '') assert.ok(over({ started: '1' }));
  // Older locks say less.
  assert.ok(over({ pid: none, machine: '', boot: '', namespace: '', started: '' }));
  assert.not(over({ pid: process.ppid, started: '' }));
});

/** Waits for the folder to hold `go`, takes it, says so, and holds it a while. */
const racer = `
  const [lock, folder] = process.argv.slice(1);
  const { existsSync } = await import('node:fs');
  const { lockFolder } = await import(lock);
  process.stdout.write('ready ');
  while (!existsSync(folder + '/go')) {}
  const release = await lockFolder(folder + '/run').catch(() => null);
  process.stdout.write(release ? 'taken' : 'refused');
  setTimeout(() => release?.(), 1500);
`;

test('of several processes that find a lock left one has it', () =>
  inFolder(async (folder) => {
    for (let round = 0; round < 2; round++) {
      await mkdir(join(folder, 'run'), { recursive: true });
      await writeFile(join(folder, 'run', '.running'), `${2 ** 22 + 1} ${hostname()}\n`);
      const lock = pathToFileURL(join(projectDir, 'src/train/run/lock.ts')).href;
      const said = Array.from({ length: 4 }, () => '');
      const over = said.map((_, i) => {
        const args = ['--conditions=dualtoken-source', '--import', 'tsx', '--input-type=module', '-e', racer];
        const child = spawn(process.execPath, [...args, lock, folder], { cwd: projectDir });
        child.stdout.setEncoding('utf8').on('data', (text: string) => {
          said[i] += text;
        });
        return once(child, 'close');
      });
      while (!said.every((text) => text.startsWith('ready'))) await sleep(20);
      await writeFile(join(folder, 'go'), '');
      await Promise.all(over);
      assert.equal(said.sort(), ['ready refused', 'ready refused', 'ready refused', 'ready taken']);
      assert.equal(await readdir(join(folder, 'run')), []);
      await rm(join(folder, 'go'));
    }
  }));

test.run();
