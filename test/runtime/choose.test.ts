// Which backend is chosen, and what is said of it: with a graphics card, a software adapter, no adapter, and no shared memory.
// Dawn's null device stands for adapters that answer, so that every machine tests every choice.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { backendNames, type ChooseOptions, openBackend } from '../../src/runtime/choose.ts';
import { renderRunError } from '../../src/runtime/error.ts';
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
    assert.match(said, /^backend webgpu: llvmpipe 1\.0, software, .*; backend wasm: .*Cross-Origin-Embedder-Policy/);
    assert.is((await chosen('hardware')).name, 'webgpu');
  });
});

test('with neither, an error that names the remedy: gpu.js is never a silent answer', async () => {
  await withoutSharedMemory(async () => {
    const message = await refused('nothing');
    assert.match(message, /not cross-origin isolated.*Cross-Origin-Opener-Policy.*no WebGPU adapter: no driver/);
    assert.match(await refused('nothing', { backend: 'wasm' }), /Cross-Origin-Opener-Policy/);
  });
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
