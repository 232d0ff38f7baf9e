// The state of an evaluation on disk: whose it is, when it is written, and what is never written over.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { writeSafetensors } from '../../src/data/index.ts';
import {
  evaluateReconstruction,
  type Identity,
  identityDigest,
  openCheckpoint,
} from '../../src/eval/evaluations/index.ts';
import { evaluation, fakeDataset } from '../support/fake-model.ts';
import { failure, inFolder, run } from '../support/files.ts';

const test = suite('states of evaluations');

test('a state is written every so many pictures: an evaluation that is killed goes on from there', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'state.safetensors');
    const open = (resume: boolean, more = {}) =>
      openCheckpoint({
        path,
        resume,
        identity: { measure: 'm', pictures: 18, ...more },
        every: 6,
        warn: () => undefined,
      });
    const seen: number[] = [];
    const dying = evaluation({
      checkpoint: await run(open(false)),
      onProgress: (_, done) => {
        seen.push(done);
        if (done === 12) throw new Error('killed');
      },
    });
    const data = fakeDataset(18);
    try {
      await evaluateReconstruction(dying, data, { lpips: null, networks: [] });
      assert.unreachable();
    } catch (thrown) {
      assert.is(String(thrown), 'Error: killed');
    }
    const again: number[] = [];
    const resumed = evaluation({ checkpoint: await run(open(true)), onProgress: (_, done) => again.push(done) });
    const report = await evaluateReconstruction(resumed, data, { lpips: null, networks: [] });
    assert.equal(
      [seen, again],
      [
        [0, 4, 8, 12],
        [8, 12, 16, 18],
      ],
    );
    assert.equal(report, await evaluateReconstruction(evaluation(), data, { lpips: null, networks: [] }));
    assert.match(
      await failure(open(true, { pictures: 19, seed: 1 })),
      /belongs to another evaluation: pictures was 18, now it is 19; seed was not stated, now it is 1. Start anew/,
    );
    await writeFile(path, 'no state');
    assert.match(await failure(open(true)), /state.safetensors/);
    assert.match(
      await failure(
        openCheckpoint({ path: join(folder, 'none'), resume: true, identity: {}, every: 1, warn: () => undefined }),
      ),
      /there is no state of this evaluation, of the same model, data and options, to go on with/,
    );
  });
});

test('without resuming the same evaluation starts anew, and nothing else is written over', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'state.safetensors');
    const open = (resume: boolean, identity: Identity, stamps: Identity = { labels: 'old' }) =>
      openCheckpoint({ path, resume, identity, stamps, every: 1, warn: () => undefined });
    const position = { next: 4, used: 4, finished: false };
    await (await run(open(false, { data: 'a' }))).keep('pictures', { position, tensors: () => new Map() });
    assert.equal((await run(open(true, { data: 'a' }))).of('pictures')?.position, position);
    assert.is((await run(open(false, { data: 'a' }))).of('pictures'), null);
    assert.is((await run(open(false, { data: 'a' }, { labels: 'new' }))).of('pictures'), null);
    assert.match(
      await failure(open(true, { data: 'a' }, { labels: 'new' })),
      /another evaluation: labels was old, now it is new. Start anew, or give this one another path/,
    );
    assert.match(
      await failure(open(false, { data: 'b' })),
      /another evaluation: data was a, now it is b. Remove it if it is not needed, or give this one another path/,
    );
    await run(writeSafetensors(path, new Map()));
    for (const resume of [false, true])
      assert.match(
        await failure(open(resume, { data: 'a' })),
        /it is no state of an evaluation: give this one another path/,
      );
  });
  assert.is(identityDigest({ a: 1, b: null }), identityDigest({ b: null, a: 1 }));
  assert.is.not(identityDigest({ a: 1 }), identityDigest({ a: '1' }));
});

test.run();
