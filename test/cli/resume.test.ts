// A run of the command that is killed again and again, and interrupted once, ends as the run that was left alone: bit for bit.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Ran, startDualtoken } from '../support/command.ts';
import { eventFiles, shown } from '../support/events.ts';
import { inFolder } from '../support/files.ts';
import { leavePictures, tinyRun } from '../support/tiny-run.ts';

const test = suite('resuming');

const steps = 60;
const kills = 5;
const config = { ...tinyRun, steps, checkpoint: { everySteps: 4, keep: 2 } };

type Line = Readonly<Record<string, number>>;
/** Whole lines of a run's log. */
const linesOf = async (out: string): Promise<readonly Line[]> => {
  const text = await readFile(join(out, 'log.jsonl'), 'utf8').catch(() => '');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
};
const stepsOf = (lines: readonly Line[]): readonly Line[] =>
  lines.filter((line) => 'loss' in line).map(({ seconds, ...line }) => line);

/** Waits until a run has done `step` steps. */
const reached = async (out: string, step: number, ran: Promise<Ran>): Promise<void> => {
  let over = false;
  const end = ran.then(() => {
    over = true;
  });
  while (!over && !stepsOf(await linesOf(out)).some((line) => line.step! >= step)) await Promise.race([sleep(2), end]);
};

const named = (step: number): string => `checkpoint-${String(step).padStart(8, '0')}`;
const checkpoints = async (out: string): Promise<readonly string[]> =>
  (await readdir(out).catch(() => [])).filter((name) => name.startsWith('checkpoint-')).sort();

/** Numbers in [0, 1), the same every time. */
const draws = (): (() => number) => {
  let state = 20250318;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
};

test('killed at five random steps and interrupted once, a run ends with the weights of the run left alone', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'run.ts');
    const data = { train: join(folder, 'pictures'), workers: 0 };
    await leavePictures(data.train, 11);
    const text = JSON.stringify({ ...config, data });
    await writeFile(file, `import { defineConfig } from 'dualtoken/train';\nexport default defineConfig(${text});\n`);
    const env = { DUALTOKEN_CACHE: join(folder, 'cache'), DUALTOKEN_THREADS: '2' };
    const [alone, broken] = [join(folder, 'alone'), join(folder, 'broken')];
    const start = (out: string, ...more: readonly string[]) =>
      startDualtoken([], env, 'train', file, '--out', out, '--backend', 'wasm', ...more);

    const straight = await start(alone).ran;
    assert.is(straight.code, 0, straight.stderr);
    const random = draws();
    let before = 0;
    for (let i = 0; i < kills; i++) {
      const done = (await linesOf(broken)).at(-1)?.step ?? 0;
      const sitting = start(broken, ...((await checkpoints(broken)).length > 0 ? ['--resume'] : []));
      // A step of the next part of the run, and somewhere between two lines of its log.
      await reached(broken, done + 1 + Math.floor(random() * ((steps - done) / (kills + 1 - i))), sitting.ran);
      await sleep(15 * random());
      sitting.kill('SIGKILL');
      const { code, stderr } = await sitting.ran;
      assert.is(code, null, `it was killed, not done: ${stderr}`);
      before = (await linesOf(broken)).at(-1)!.step!;
    }

    const interrupted = start(broken, '--resume');
    await reached(broken, before + 2, interrupted.ran);
    interrupted.kill('SIGINT');
    const stopped = await interrupted.ran;
    assert.is(stopped.code, 130, stopped.stderr);
    assert.match(stopped.stderr, 'stopping after this step, with a checkpoint');
    const at = Number(/stopped after (\d+) steps/.exec(stopped.stdout + stopped.stderr)?.[1]);
    assert.ok(at > before && at < steps, `${at}`);
    assert.match(stopped.stdout + stopped.stderr, `go on with: dualtoken train --resume --out ${broken}`);
    assert.ok((await checkpoints(broken)).includes(named(at)));

    const last = await start(broken, '--resume').ran;
    assert.is(last.code, 0, last.stderr);

    const end = named(steps);
    assert.equal(await checkpoints(broken), await checkpoints(alone));
    assert.is((await checkpoints(alone)).at(-1), end);
    for (const path of ['model.safetensors', join(end, 'state.safetensors')])
      assert.ok((await readFile(join(alone, path))).equals(await readFile(join(broken, path))), `${path} differs`);

    // Every step once, in the log and in what TensorBoard shows, with equal losses; samples are of the stop, too.
    const [one, other] = [await linesOf(alone), await linesOf(broken)];
    assert.equal(stepsOf(other), stepsOf(one));
    assert.equal(
      stepsOf(other).map(({ step }) => step),
      Array.from({ length: steps }, (_, i) => i + 1),
    );
    const samples = other.flatMap((line) => ('psnr' in line ? [line.step!] : []));
    assert.equal(samples, [...new Set([at, steps])]);
    assert.is((await eventFiles(broken)).length, kills + 2);
    const scalars = (await shown(broken)).map(([step]) => step);
    const wanted = other.flatMap((line) =>
      Object.keys(line)
        .slice(1)
        .map(() => line.step!),
    );
    assert.equal(scalars, wanted);
    const files = [await readdir(broken), await readdir(join(broken, 'samples'))].flat();
    assert.equal(
      files.filter((name) => name.endsWith('.tmp')),
      [],
    );
  }));

test.run();
