// The record of a run in its folder: what a sitting goes on from, and pictures that are left out.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { noCache } from '../../../src/compiler/cache/cache.ts';
import { blank } from '../../../src/data/index.ts';
import { openRuntime } from '../../../src/runtime/runtime.ts';
import { trainConfigSchema } from '../../../src/train/config/config.ts';
import { readSkipped } from '../../../src/train/report/index.ts';
import { latestCheckpoint, listCheckpoints } from '../../../src/train/run/checkpoint.ts';
import { openRecord } from '../../../src/train/run/record.ts';
import { runTraining } from '../../../src/train/run/run.ts';
import { shown } from '../../support/events.ts';
import { inFolder, rightOf, run } from '../../support/files.ts';
import { leavePictures, tinyRun } from '../../support/tiny-run.ts';

const test = suite('record of a run');

test('a run that goes back to an earlier checkpoint drops the sheets of later steps with the lines of the log', () =>
  inFolder(async (folder) => {
    const { numbers, sample } = await run(openRecord(folder, 0));
    for (const step of [2, 4, 12]) {
      await run(numbers(step, { psnr: step }));
      await run(sample(step, blank(4, 4, [step, 0, 0])));
    }
    await writeFile(join(folder, 'samples', 'step-my-own.png'), '');
    await run(openRecord(folder, 4));
    assert.equal((await readdir(join(folder, 'samples'))).sort(), [
      'step-00000002.png',
      'step-00000004.png',
      'step-my-own.png',
    ]);
    assert.is(await readFile(join(folder, 'log.jsonl'), 'utf8'), '{"step":2,"psnr":2}\n{"step":4,"psnr":4}\n');
  }));

test('a checkpoint that a killed process was replacing is there again', () =>
  inFolder(async (folder) => {
    await mkdir(join(folder, '.checkpoint-00000010.77.0123abcd.old'));
    await mkdir(join(folder, 'checkpoint-00000008'));
    assert.equal(await run(listCheckpoints(folder)), ['checkpoint-00000008', 'checkpoint-00000010']);
    assert.equal(await run(listCheckpoints(join(folder, 'none'))), []);
  }));

test('a finished run that is resumed trains nothing, and leaves its log, events and samples as they were', () =>
  inFolder(async (folder) => {
    const [out, data] = [join(folder, 'run'), { train: join(folder, 'pictures'), workers: 0 }];
    await leavePictures(data.train, 2);
    const losses = [{ kind: 'pixel', weight: 1 }];
    const config = trainConfigSchema.parse({ ...tinyRun, losses, microBatches: 1, steps: 2, data, out });
    const runtime = await openRuntime({ backend: 'wasm', cache: noCache });
    const sitting = async () => {
      const from = await latestCheckpoint(out)();
      const ended = await runTraining(runtime, config, rightOf(from), {
        log: () => {},
        onStep: () => {},
        stopped: () => false,
      });
      return {
        ended: [ended.at.step, ended.psnr],
        log: await readFile(join(out, 'log.jsonl'), 'utf8'),
        shown: (await shown(out)).length,
        live: runtime.stats().liveBytes,
      };
    };
    const [first, again] = [await sitting(), await sitting()];
    assert.is(first.log.match(/psnr/g)?.length, 1);
    assert.equal(again, first);
    // One that was killed before it drew its last samples draws them.
    await writeFile(join(out, 'log.jsonl'), first.log.replace(/.*psnr.*\n/, ''));
    const drawn = await sitting();
    assert.equal([drawn.ended, drawn.log], [first.ended, first.log]);
    assert.is(drawn.live, first.live, 'programs give their memory back');
    await runtime.close();
  }));

test('a list that a full disk cut: what is whole is read, and a run that goes on writes after it', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'skipped.jsonl');
    const [a, b, c] = ['a', 'b}', 'c'].map((reason, step) => ({ step, reason }));
    // A sitting of an older version went on behind the cut.
    const cut = JSON.stringify(b).slice(0, -2);
    await writeFile(path, `${JSON.stringify(a)}\n${cut}${JSON.stringify(c)}\n${cut}`);
    assert.equal(await run(readSkipped(folder)), [a]);
    const { skipped } = await run(openRecord(folder, 2));
    await run(skipped(2, 'c'));
    assert.equal(await run(readSkipped(folder)), [a, c]);
    assert.is(await readFile(path, 'utf8'), `${JSON.stringify(a)}\n${JSON.stringify(c)}\n`);
  }));

test('a picture that cannot be decoded: a run names it in a line and in its list, and trains on the others', () =>
  inFolder(async (folder) => {
    const data = { train: join(folder, 'pictures'), validation: join(folder, 'held'), workers: 0 };
    await leavePictures(data.train, 3);
    await leavePictures(data.validation, 2);
    await writeFile(join(data.train, 'broken.png'), 'no picture');
    await writeFile(join(data.validation, '0a.png'), 'no picture');
    const runtime = await openRuntime({ backend: 'wasm', cache: noCache });
    const lines: string[] = [];
    const [seen, out] = [new Set<number>(), join(folder, 'run')];
    const losses = [{ kind: 'pixel', weight: 1 }];
    const config = trainConfigSchema.parse({ ...tinyRun, losses, microBatches: 1, steps: 4, data, out });
    await runTraining(runtime, config, null, {
      log: (line) => lines.push(line),
      onStep: (_, { sample }) => seen.add(sample),
      stopped: () => false,
    });
    await runtime.close();
    assert.is(seen.size, 4);
    const said = lines.filter((line) => line.startsWith('skipped: '));
    assert.is(said.length, 1, lines.join('\n'));
    assert.match(said[0]!, /^skipped: .*broken\.png.* \(1 skipped so far\)$/);
    const held = lines.filter((line) => line.startsWith('skipped for samples: '));
    const listed = (await run(readSkipped(out))).map(({ reason }) => reason);
    assert.is(listed.length, 2);
    assert.equal(held, [`skipped for samples: ${listed[0]} (1 of ${data.validation} so far)`]);
    assert.match(held[0]!, /held\/0a\.png: cannot be decoded/);
    assert.is(`skipped: ${listed[1]} (1 skipped so far)`, said[0]);
    assert.ok(lines.some((line) => line.endsWith(`on 2 pictures of ${data.validation}`)));
  }));

test.run();
