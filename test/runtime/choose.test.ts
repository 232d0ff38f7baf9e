// Which backend is chosen, and what is said of it: with a graphics card, a software adapter, no adapter, and no shared memory.
// Dawn's null device stands for adapters that answer, so that every machine tests every choice.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { grad, matmul, mean, square, sub, type Tensor, tensor } from '../../src/dsl/index.ts';
import { backendNames, type ChooseOptions, openBackend } from '../../src/runtime/choose.ts';
import { renderRunError } from '../../src/runtime/error.ts';
import { openRuntime } from '../../src/runtime/runtime.ts';
import { left, right } from '../support/backends.ts';
import { nullDevice } from '../support/null-device.ts';
import { skip } from '../support/skip.ts';

const test = suite('choice of a backend');
const ISOLATED = 'crossOriginIsolated';

type Offered = 'hardware' | 'software' | 'nothing';
let offered: Offered = 'nothing';
let devices = 0;
const nulls = await nullDevice();

/** As a browser offers it: an adapter that calls itself what the test says. */
const requestAdapter = async (): Promise<unknown> => {
  if (offered === 'nothing' || !nulls) return null;
  const description = offered === 'software' ? 'llvmpipe 1.0' : 'A Card 3000';
  return {
    features: new Set(),
    limits: nulls.limits,
    info: { vendor: '', architecture: '', device: '', description, subgroupMinSize: 32, subgroupMaxSize: 32 },
    requestDevice: async () => {
      devices++;
      return nulls.device;
    },
  };
};
const gpu = { requestAdapter, wgslLanguageFeatures: new Set() };
Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true });

const withoutSharedMemory = async (body: () => Promise<void>): Promise<void> => {
  Reflect.set(globalThis, ISOLATED, false);
  await body().finally(() => Reflect.deleteProperty(globalThis, ISOLATED));
};

/** The name of what is opened, how many devices were asked for, and the lines that were said. */
const chosen = async (on: Offered, options: ChooseOptions = {}) => {
  offered = on;
  devices = 0;
  const lines: string[] = [];
  const backend = await right(openBackend({ ...options, log: (line) => lines.push(line) }));
  // The stand-in is one device for all: it stays open.
  if (backend.name !== 'webgpu') backend.dispose();
  return { name: backend.name, devices, said: lines.join('\n') };
};
const refused = async (on: Offered, options: ChooseOptions = {}): Promise<string> => {
  offered = on;
  const message = renderRunError(await left(openBackend(options)));
  assert.is(message.split('\n').length, 1, message);
  return message;
};

/** A test that needs an adapter to answer. */
const withAdapter = (name: string, body: () => Promise<void>): void => {
  test(name, async () => (nulls ? body() : skip('this build of Dawn has no null device')));
};

withAdapter('a graphics card comes first', async () => {
  const { name, said } = await chosen('hardware');
  assert.is(name, 'webgpu');
  assert.match(said, /^backend webgpu: an adapter answers; A Card 3000, hardware, .*binding$/);
});

withAdapter('a software adapter is for those who ask for it; else WebAssembly, and no device is made', async () => {
  const { said, ...found } = await chosen('software', { threads: 1 });
  assert.equal(found, { name: 'wasm', devices: 0 });
  assert.match(said, /^backend wasm: the adapter llvmpipe 1\.0 is software; WebAssembly, 128-bit SIMD.*, 1 thread$/);
  const asked = await chosen('software', { backend: 'webgpu' });
  assert.equal([asked.name, asked.devices], ['webgpu', 1]);
  assert.match(asked.said, /^backend webgpu: asked for; llvmpipe 1\.0, software/);
});

test('without an adapter WebAssembly, which needs no driver', async () => {
  const { name, said } = await chosen('nothing', { threads: 2 });
  assert.is(name, 'wasm');
  assert.match(said, /^backend wasm: no driver .* answers; WebAssembly, 128-bit SIMD.*, 2 threads$/);
  assert.match(await refused('nothing', { backend: 'webgpu' }), /no driver .*; install .*mesa.* 'wasm'/);
});

withAdapter('without memory that threads share, a software adapter, and why', async () => {
  await withoutSharedMemory(async () => {
    const { name, said } = await chosen('software');
    assert.is(name, 'webgpu');
    assert.match(said, /^backend webgpu: llvmpipe 1\.0, software, .*; the page .*Cross-Origin-Embedder-Policy/);
    assert.is((await chosen('hardware')).name, 'webgpu');
  });
});

test("with neither, WebAssembly on the page's own thread, which says so; several threads are refused", async () => {
  await withoutSharedMemory(async () => {
    const { name, said } = await chosen('nothing');
    assert.is(name, 'wasm');
    assert.match(
      said,
      /one thread, the page's own.*not cross-origin isolated.*Cross-Origin-Opener-Policy: same-origin/,
    );
    assert.match(said, /backend wasm: no driver .*, 1 thread$/);
    assert.not.match((await chosen('nothing', { backend: 'wasm', threads: 1 })).said, /isolated/);
    assert.match(await refused('nothing', { backend: 'wasm', threads: 2 }), /2 threads .*Cross-Origin-Opener-Policy/);
  });
});

test("the page's own thread computes the bits that threads compute", async () => {
  const x = tensor([
    [1, 2.5, 3],
    [4, 5, 6.25],
  ]);
  const loss = (w: Tensor<readonly [3, 2]>) => mean(square(sub(matmul(x, w), 1)));
  const gradient = async (): Promise<readonly number[]> => {
    const runtime = await openRuntime({ backend: 'wasm', warn: () => {} });
    const compiled = runtime.compile(grad(loss));
    const w = await runtime.upload(Float32Array.of(1, 0, 0.5, 1, 1, 0.1), [3, 2]);
    const all = await Promise.all(Array.from({ length: 20 }, async () => (await compiled(w)).read()));
    assert.ok(all.every((values) => values.every((v, i) => v === all[0]![i])));
    runtime.close();
    return [...all[0]!];
  };
  const threaded = await gradient();
  await withoutSharedMemory(async () => assert.equal(await gradient(), threaded));
});

test('wrong numbers of threads are refused, not worked around', async () => {
  for (const threads of [0, -1, 1.5, 257, Number.NaN])
    assert.match(await refused('nothing', { threads }), new RegExp(`threads is ${threads}.*from 1 to 256`));
  const before = process.env.DUALTOKEN_THREADS;
  try {
    for (const text of ['0', 'many', '']) {
      process.env.DUALTOKEN_THREADS = text;
      assert.match(await refused('nothing'), new RegExp(`DUALTOKEN_THREADS is '${text}'.*from 1 to 256`));
    }
    process.env.DUALTOKEN_THREADS = '3';
    assert.match((await chosen('nothing')).said, /, 3 threads$/);
  } finally {
    if (before === undefined) delete process.env.DUALTOKEN_THREADS;
    else process.env.DUALTOKEN_THREADS = before;
  }
});

test('each is opened by its name', async () => {
  for (const backend of backendNames.filter((name) => name !== 'webgpu')) {
    const { name, said } = await chosen('nothing', { backend });
    assert.is(name, backend);
    assert.match(said, new RegExp(`^backend ${backend}: asked for; .+$`));
  }
});

test.run();
