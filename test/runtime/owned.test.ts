// What a failure midway leaves on the device: nothing, and so as much room as before for whoever tries again.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { placeStored } from '../../src/checkpoints/place.ts';
import * as B from '../../src/dsl/core/build.ts';
import { zerosInit } from '../../src/dsl/init.ts';
import * as T from '../../src/dsl/ops/index.ts';
import { weight } from '../../src/dsl/param.ts';
import { type Tensor, unwrap } from '../../src/dsl/tensor.ts';
import { orThrow } from '../../src/runtime/attempt.ts';
import type { Backend, Executable } from '../../src/runtime/backend.ts';
import { runGraph } from '../../src/runtime/evaluate.ts';
import { openGpuJs } from '../../src/runtime/gpujs/gpujs.ts';
import { jit } from '../../src/runtime/jit.ts';
import { lending, type Own, owning, owningRight } from '../../src/runtime/owned.ts';
import { DeviceTensor, HostTensor } from '../../src/runtime/tensor.ts';
import { isolate } from '../../src/runtime/tune/isolate.ts';
import { openTrial } from '../../src/runtime/tune/trial.ts';
import { failure, inFolder, run } from '../support/files.ts';
import { safetensorsBytes } from '../support/safetensors.ts';

const test = suite('what was put on a device');

/** A device that has room for `room` tensors of each attempt; later ones come at once, earlier ones after a while. */
const crowded = (room: number) => {
  const backend = openGpuJs();
  let uploads = 0;
  const upload: Backend['upload'] = (data, shape, dtype) => async () => {
    const count = ++uploads;
    if (count > room) return TE.left({ _tag: 'OutOfMemory' as const, asked: 4 * data.length, what: 'a tensor' })();
    await new Promise((over) => setTimeout(over, 5 * (room - count)));
    return backend.upload(data, shape, dtype)();
  };
  const again = (): void => {
    uploads = 0;
  };
  return { backend: { ...backend, upload }, again };
};

/** By now every upload is over. */
const late = (): Promise<void> => new Promise((over) => setTimeout(over, 20));

/** `work` fails three times for want of room, and nothing is left on the device. */
const leavesNothing = async (room: number, work: (backend: Backend) => Promise<unknown>): Promise<void> => {
  const { backend, again } = crowded(room);
  for (let k = 0; k < 3; k++) {
    again();
    assert.match(await work(backend).then(() => '', String), /OutOfMemory/);
    await late();
    const { liveBytes, buffers } = backend.stats();
    assert.equal({ liveBytes, buffers }, { liveBytes: 0, buffers: 0 });
  }
};

const hostOf = (backend: Backend) => ({
  backend,
  warn: () => {},
  counters: { traces: 0, compiles: 0, cacheHits: 0 },
});
const row = () => new HostTensor(new Float32Array(4), [4], 'f32');
type Row = Tensor<readonly [4]>;

test('arguments of a compiled function', () =>
  leavesNothing(2, (backend) => {
    const f = jit(hostOf(backend), (a: Row, b: Row, c: Row) => T.add(a, T.add(b, c)));
    return f(row(), row(), row());
  }));

test('tensors of host data inside a compiled function', () =>
  leavesNothing(1, async (backend) => {
    const [a, b] = [T.tensor([1, 2, 3, 4]), T.tensor([5, 6, 7, 8])];
    const f = jit(hostOf(backend), (x: Row) => T.mul(b, T.add(a, x)));
    await f(row()).finally(f.free);
  }));

test('results that are not finite', async () => {
  const backend = openGpuJs();
  const f = jit(hostOf(backend), (x: Row) => T.div(x, T.sub(x, x)), { checkFinite: true });
  assert.match(await f(row()).then(() => '', String), /NonFinite/);
  await f.free();
  assert.is(backend.stats().buffers, 0);
});

test('a schedule that is tried and finds no room for its first run', async () => {
  const backend = openGpuJs();
  let open = 0;
  const load: Backend['load'] = (program) =>
    TE.map((executable: Executable): Executable => {
      open++;
      const dispose = (): void => {
        open--;
        executable.dispose();
      };
      return { run: () => TE.left({ _tag: 'OutOfMemory', asked: 4, what: 'a temporary' }), dispose };
    })(backend.load(program));
  const [x, y] = [B.input('x', [2, 3], 'f32'), B.input('y', [3, 2], 'f32')];
  const isolated = isolate(B.einsum('ab,bc->ac', x, y));
  assert.match(await openTrial({ ...backend, load }, isolated, null, []).then(() => '', String), /OutOfMemory/);
  assert.is(open, 0);
});

test('inputs of a graph that is run once', () =>
  leavesNothing(1, (backend) => runGraph(backend, [unwrap(T.add(T.tensor([1, 2]), T.tensor([3, 4])))])));

const spec = { a: weight([2], zerosInit), b: weight([2], zerosInit) };
const stored = (last: number): Uint8Array => {
  const entry = (at: number) => ({ dtype: 'F32', shape: [2], data_offsets: [at, at + 8] });
  const bytes = safetensorsBytes(JSON.stringify({ a: entry(0), b: entry(8) }), 16);
  new DataView(bytes.buffer).setFloat32(bytes.length - 4, last, true);
  return bytes;
};
const placing = (backend: Backend, path: string) =>
  placeStored(
    {
      upload: async (data, shape, dtype = 'f32') => new DeviceTensor(await orThrow(backend.upload(data, shape, dtype))),
    },
    path,
    spec,
  );

test('stored parameters: no room for one, or one that is no number', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'model.safetensors');
    await writeFile(path, stored(Number.NaN));
    const backend = openGpuJs();
    assert.match(await failure(placing(backend, path)), /holds values that are infinite/);
    assert.is(backend.stats().buffers, 0);
    await writeFile(path, stored(1));
    await leavesNothing(1, (crowd) => placing(crowd, path)());
    for (const tensor of (await run(placing(backend, path))).values()) tensor.free();
    assert.is(backend.stats().buffers, 0);
  }));

test('what is owned goes in reverse, what comes late too; what is lent goes in any case', async () => {
  const freed: string[] = [];
  const made = async (name: string, ms: number) => {
    await new Promise((over) => setTimeout(over, ms));
    return { name, free: () => void freed.push(name) };
  };
  const three = (own: Own) => Promise.all([own(made('a', 20)), own(made('b', 1)), own(made('c', 10))]);
  const lost = async (own: Own): Promise<never> => {
    await Promise.all([three(own), Promise.reject(new Error('no room'))]);
    throw new Error('never');
  };
  assert.match(await owning(lost).then(() => '', String), /no room/);
  assert.equal(freed.splice(0), ['c', 'b', 'a']);
  assert.is((await owning(three)).length, 3);
  assert.equal(freed, []);
  assert.is((await lending(three)).length, 3);
  assert.equal(freed.splice(0), ['c', 'b', 'a']);
  const ends = (end: TE.TaskEither<string, number>) =>
    owningRight((own) => TE.chain(() => end)(TE.fromTask(() => three(own))));
  await ends(TE.right(1))();
  assert.equal(freed, []);
  await ends(TE.left('no'))();
  assert.equal(freed, ['c', 'b', 'a']);
});

test.run();
