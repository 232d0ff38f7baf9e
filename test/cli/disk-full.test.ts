// A disk that runs full in the middle of a training: one message, what was saved before is whole, and with more room the run goes on.
import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readAllValues } from '../../src/data/index.ts';
import { readLog } from '../../src/train/report/log.ts';
import { readCheckpoint } from '../../src/train/run/checkpoint.ts';
import { commandLine, messageOf, type Ran } from '../support/command.ts';
import { inFolder, run } from '../support/files.ts';
import { projectDir } from '../support/shared.ts';
import { skip } from '../support/skip.ts';
import { leavePictures, tinyRun } from '../support/tiny-run.ts';

const test = suite('a full disk');

/** Runs a shell script in a mount namespace of its own. */
const inNamespace = (script: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> =>
  new Promise((done) => {
    const child = spawn('unshare', ['-rm', 'sh', '-ec', script, 'sh', ...args], {
      cwd: projectDir,
      env: { ...process.env, NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', (e) => done({ code: null, stdout, stderr: e.message }));
    child.on('close', (code) => done({ code, stdout, stderr }));
  });

/** $1: where the small disk is mounted, $2: where what it holds is copied, the rest: the command. Gives the codes of both sittings. */
const script = `
disk=$1 kept=$2; shift 2
mount -t tmpfs -o size=$KIB"k" tmpfs "$disk"
"$@" --out "$disk/run" >&2 && first=0 || first=$?
cp -r "$disk/run" "$kept"
mount -o remount,size=64m "$disk"
echo SECOND >&2
"$@" --out "$disk/run" --resume >&2 && second=0 || second=$?
echo $first $second
`;

test('what was saved stays, and the run goes on when there is room', () =>
  inFolder(async (folder) => {
    const [disk, kept, file] = [join(folder, 'disk'), join(folder, 'kept'), join(folder, 'run.json')];
    await mkdir(disk);
    const possible = await inNamespace('mount -t tmpfs -o size=64k tmpfs "$1"', [disk]);
    if (possible.code !== 0) return skip(`no small disk can be mounted: ${possible.stderr.trim()}`);
    const data = { train: join(folder, 'pictures'), workers: 0 };
    await leavePictures(data.train, 5);
    const checkpoint = { everySteps: 2, keep: 100 };
    await writeFile(file, JSON.stringify({ ...tinyRun, data, checkpoint, steps: 14 }));
    const node = [process.execPath, ...commandLine()];
    const ran = await inNamespace(script, [disk, kept, ...node, 'train', file, '--backend', 'wasm'], {
      DUALTOKEN_CACHE: join(folder, 'cache'),
      KIB: '2400',
    });
    assert.is(ran.stdout.trim(), '1 0', ran.stderr);
    const [first] = ran.stderr.split('SECOND');
    const failures = messageOf({ ...ran, stderr: first! })
      .split('\n')
      .filter((line) => line.startsWith('dualtoken: '));
    assert.is(failures.length, 1, first!);
    assert.match(
      failures[0]!,
      /^dualtoken: cannot write \S+: no space left on the device: free some, or choose another/,
    );

    const names = (await readdir(kept)).sort();
    const saved = names.filter((name) => name.startsWith('checkpoint-'));
    assert.ok(saved.length >= 2, `${names}`);
    assert.equal(
      [...names, ...(await readdir(join(kept, 'samples')).catch(() => []))].filter((name) => name.endsWith('.tmp')),
      [],
    );
    for (const name of saved) {
      const { info } = await run(readCheckpoint(join(kept, name)));
      assert.is(name, `checkpoint-${String(info.step).padStart(8, '0')}`);
      const tensors = await run(readAllValues(join(kept, name, 'state.safetensors')));
      assert.ok(tensors.size > 100);
    }
    assert.ok((await readFile(join(kept, 'model.safetensors'))).length > 1000);
    const steps = (await run(readLog(join(kept, 'log.jsonl')))).map(({ step }) => step);
    assert.equal(
      steps,
      steps.map((_, i) => i + 1),
    );
  }));

test.run();
