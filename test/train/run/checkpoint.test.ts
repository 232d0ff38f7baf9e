// Checkpoints of a run: what was damaged is not taken as good, what was just written is not removed, and a newer one is not passed over.
import { cp, mkdir, open, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { hostSource, readAll } from '../../../src/checkpoints/source.ts';
import { noCache } from '../../../src/compiler/cache/cache.ts';
import { openRuntime } from '../../../src/runtime/runtime.ts';
import { trainConfigSchema } from '../../../src/train/config/config.ts';
import {
  type Checkpoint,
  latestCheckpoint,
  readCheckpoint,
  writeCheckpoint,
} from '../../../src/train/run/checkpoint.ts';
import { runTraining } from '../../../src/train/run/run.ts';
import { failure, inFolder, run } from '../../support/files.ts';
import { leavePictures, tinyRun } from '../../support/tiny-run.ts';

const test = suite('checkpoints');

const config = trainConfigSchema.parse({});
const infoAt = (step: number) => ({ version: 1, step, sample: 2 * step, seconds: step, seed: 1, config }) as const;
const state = hostSource(
  new Map([['w', { shape: [64, 64], data: Float32Array.from({ length: 64 * 64 }, (_, i) => 1 + i) }]]),
);
const leave = (folder: string, step: number, keep = 3): Promise<string> =>
  run(writeCheckpoint(folder, infoAt(step), state, keep));
const stateIn = (path: string): string => join(path, 'state.safetensors');

test('one that was damaged inside or cut is named, with the one before it; older ones do not say what was written', () =>
  inFolder(async (folder) => {
    await leave(folder, 2);
    const path = await leave(folder, 4);
    assert.is((await run(latestCheckpoint(folder)))?.info.step, 4);
    const { size } = await open(stateIn(path), 'r+').then(async (file) => {
      await file.write(new Uint8Array(4096), 0, 4096, 4000);
      const found = await file.stat();
      await file.close();
      return found;
    });
    const goesOn =
      /checkpoint-00000004: this checkpoint cannot be read \((.*)\): remove it to go on from checkpoint-00000002$/;
    const why = async (): Promise<string> => goesOn.exec(await failure(latestCheckpoint(folder)))?.[1] ?? 'it was read';
    assert.match(await why(), /state\.safetensors: its bytes are not those that were written$/);
    await truncate(stateIn(path), 9000);
    assert.is(await why(), `data ${stateIn(path)}: it has 9000 bytes, and ${size} were written`);

    const stated = join(path, 'train.json');
    const { state: _, ...before } = JSON.parse(await readFile(stated, 'utf8'));
    await writeFile(stated, JSON.stringify(before));
    const cut = await why();
    assert.match(cut, /is truncated/);
    assert.not.match(cut, /download/);
    const older = await leave(folder, 6);
    await writeFile(join(older, 'train.json'), JSON.stringify({ ...before, step: 6 }));
    const read = await run(readCheckpoint(older));
    assert.is((await readAll(read.tensors)).get('w')?.data[4095], 4096);
  }));

test('what was just written stays, though checkpoints of later steps are there', () =>
  inFolder(async (folder) => {
    for (const step of [10, 12]) await leave(folder, step);
    await leave(folder, 4, 2);
    assert.equal(await readdir(folder), ['checkpoint-00000004', 'checkpoint-00000012']);
    await leave(folder, 6, 1);
    assert.equal(await readdir(folder), ['checkpoint-00000006']);
  }));

test('a checkpoint that another process wrote after the choice ends the run before it writes', () =>
  inFolder(async (folder) => {
    const pictures = join(folder, 'pictures');
    const [out, data] = [join(folder, 'run'), { train: relative(process.cwd(), pictures), workers: 0 }];
    const lines: string[] = [];
    await mkdir(pictures);
    await leavePictures(pictures, 2);
    const losses = [{ kind: 'pixel', weight: 1 }];
    const asked = trainConfigSchema.parse({ ...tinyRun, losses, microBatches: 1, steps: 1, data, out });
    const runtime = await openRuntime({ backend: 'wasm', cache: noCache });
    const train = (from: Checkpoint | null) =>
      runTraining(runtime, asked, from, { log: (line) => lines.push(line), onStep: () => {}, stopped: () => false });
    await train(null);
    const chosen = await run(latestCheckpoint(out));
    await cp(chosen!.path, join(out, 'checkpoint-00000002'), { recursive: true });
    const files = async () => [await readdir(out), await readFile(join(out, 'log.jsonl'), 'utf8')];
    const before = await files();
    const refused = (from: Checkpoint | null): Promise<string> => train(from).then(() => 'it trained', String);
    assert.match(await refused(chosen), /^TrainFailure: .*checkpoint-00000002 is newer than .*checkpoint-00000001/);
    assert.not.match(lines.join('\n'), /the run began in/);
    await refused({ ...chosen!, info: { ...chosen!.info, folder: '/elsewhere' } });
    assert.is(
      lines.at(-1),
      `the run began in /elsewhere: relative paths of its configuration are looked for in ${process.cwd()} now`,
    );
    assert.match(await refused(null), /^TrainFailure: .*checkpoint-00000002 was not there when this run began/);
    assert.equal(await files(), before);
    await runtime.close();
  }));

test.run();
