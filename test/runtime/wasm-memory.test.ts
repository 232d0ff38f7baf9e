import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as E from 'fp-ts/lib/Either.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { noCache } from '../../src/compiler/cache/cache.ts';
import { diskKernels } from '../../src/compiler/cache/disk.ts';
import { layerNorm } from '../../src/dsl/fused/layer-norm.ts';
import * as T from '../../src/dsl/ops/index.ts';
import { unwrap } from '../../src/dsl/tensor.ts';
import type { DeviceBuffer } from '../../src/runtime/backend.ts';
import { type RunError, renderRunError } from '../../src/runtime/error.ts';
import { openRuntime } from '../../src/runtime/runtime.ts';
import { Allocator, type Block } from '../../src/runtime/wasm/allocator.ts';
import { findEngine, hasMemory64 } from '../../src/runtime/wasm/engine.ts';
import { openWasm } from '../../src/runtime/wasm/wasm.ts';
import { agree } from '../support/agree.ts';
import { left, right } from '../support/backends.ts';
import { f32 } from '../support/family.ts';
import { addProgram, isSum, ramp, upload, vectors, withBackend } from '../support/wasm.ts';

const test = suite('runtime: wasm memory');

test('a thousand runs asked for at once, frees while they are in flight', () =>
  withBackend({ threads: 2 }, async (backend) => {
    const n = 512;
    const executable = await right(backend.load(addProgram(backend.caps, n)));
    await Promise.all(
      Array.from({ length: 1500 }, async (_, k) => {
        const a = await upload(
          backend,
          ramp(n, (i) => i + k),
        );
        const run = right(executable.run([a, a], {}));
        a.free();
        const [y] = await run;
        const read = right(y!.read);
        y!.free();
        const values = await read;
        assert.ok(values.every((v, i) => v === 2 * (i + k)));
      }),
    );
    await right(backend.idle);
    assert.equal([backend.stats().buffers, backend.stats().runs], [0, 1500]);
  }));

test('where there is no room, what is freed in flight is waited for', () =>
  withBackend({ threads: 2, memory: 8 * 2 ** 20 }, async (backend) => {
    // Three tensors fit, and a fourth does not.
    const n = 2 ** 19;
    const executable = await right(backend.load(addProgram(backend.caps, n)));
    const [a, b] = [await upload(backend, ramp(n)), await upload(backend, ramp(n))];
    const first = right(executable.run([a, a], {}));
    a.free();
    const second = right(executable.run([b, b], {}));
    const [y] = await first;
    const [z] = await second;
    for (const t of [y!, z!]) await isSum(t, 2);
    assert.is((await left(executable.run([b, b], {})))._tag, 'OutOfMemory');
    const third = right(z!.read);
    z!.free();
    const again = await right(executable.run([b, b], {}));
    await isSum(again[0]!, 2);
    assert.ok((await third).every((v, i) => v === 2 * i));
  }));

test('memory grows, is reused, and ends with an error that names size and limit', () =>
  withBackend({ memory: 64 * 2 ** 20 }, async (backend) => {
    const part = new Float32Array(2 ** 20).fill(1);
    const held: DeviceBuffer[] = [];
    const fill = async (): Promise<RunError> => {
      for (;;) {
        const next = await backend.upload(part, [part.length], 'f32')();
        if (E.isLeft(next)) return next.left;
        held.push(next.right);
      }
    };
    const full = await fill();
    assert.is(held.length, 15);
    assert.is(
      renderRunError(full),
      `the device has no room for f32[${2 ** 20}] (4.0 MiB, where all tensors share 64.0 MiB; DUALTOKEN_MEMORY sets more, in GiB). Free tensors, or use a smaller batch`,
    );
    for (const t of held.splice(3, 6)) t.free();
    await fill();
    assert.is(held.length, 15, 'what was freed is used again');
    for (const t of held) assert.ok((await right(t.read)).every((v) => v === 1));
    const large = await left(backend.upload(new Float32Array(2 ** 24), [2 ** 24], 'f32'));
    assert.match(renderRunError(large), /f32\[16777216\] needs 64\.0 MiB; .* allows 63\.0 MiB/);
  }));

test('the collector frees what nobody did', () =>
  withBackend({ threads: 1 }, async (backend) => {
    setFlagsFromString('--expose-gc');
    const collect: unknown = runInNewContext('gc');
    assert.ok(typeof collect === 'function');
    await upload(backend, ramp(100));
    assert.is(backend.stats().buffers, 1);
    for (let k = 0; k < 50 && backend.stats().buffers > 0; k++) {
      Reflect.apply(collect, undefined, []);
      await setTimeout(1);
    }
    assert.equal([backend.stats().buffers, backend.stats().liveBytes], [0, 0]);
  }));

test('addresses above 2 GiB', () =>
  withBackend({ threads: 2 }, async (backend) => {
    const n = 1024;
    const program = addProgram(backend.caps, n);
    const executable = await right(
      backend.load({ ...program, slots: [...program.slots, { holds: 'temp', bytes: 2.2 * 2 ** 30 }] }),
    );
    const given = await vectors(backend, n);
    const [y] = await right(executable.run(given, {}));
    await isSum(y!);
    const [z] = await right(executable.run([y!, given[0]], {}));
    await isSum(z!, 4);
    const third = { ...program, slots: [...program.slots, { holds: 'temp' as const, bytes: 2 ** 31 }] };
    const error = await left((await right(backend.load(third))).run(given, {}));
    assert.match(renderRunError(error), /no room for a temporary of the program .*\(2048\.0 MiB, .* 4096\.0 MiB/);
    await isSum((await right(executable.run(given, {})))[0]!);
  }));

test('blocks never overlap, and free ones join', () => {
  const allocator = new Allocator(1000);
  allocator.extend(2 ** 26);
  const held: Block[] = [];
  let seed = 1;
  const random = (n: number): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed % n;
  };
  for (let k = 0; k < 40_000; k++) {
    if (held.length > 3000 || (held.length > 0 && random(3) === 0)) {
      const i = random(held.length);
      allocator.give(held[i]!);
      held[i] = held.at(-1)!;
      held.pop();
    } else {
      const block = allocator.take(1 + random(random(8) === 0 ? 100_000 : 2000));
      if (block) held.push(block);
    }
  }
  held.sort((a, b) => a.at - b.at);
  assert.ok(
    held.length > 1000 &&
      held.every((b, i) => b.at % 64 === 0 && (i === 0 || b.at >= held[i - 1]!.at + held[i - 1]!.size)),
  );
  for (const b of held) allocator.give(b);
  const whole = 2 ** 26 - 1024;
  assert.equal(allocator.take(whole), { at: 1024, size: whole });
  assert.is(allocator.take(1), null);
  assert.is(allocator.lacks(100), 128);
});

test('a folder for kernels that cannot be written is said once, to whoever hears the warnings of the runtime', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'dualtoken-kernels-'));
  const before = process.env.DUALTOKEN_CACHE;
  try {
    process.env.DUALTOKEN_CACHE = join(folder, 'a file');
    await writeFile(process.env.DUALTOKEN_CACHE, '');
    const said: string[] = [];
    const runtime = await openRuntime({ backend: 'wasm', cache: noCache, warn: (message) => said.push(message) });
    for (const rows of [2, 3]) await runtime.evaluate(T.add(T.full(1, [rows]), 1));
    runtime.close();
    assert.is(said.length, 1);
    assert.match(said[0]!, /^kernels are not cached: .*a file.*cannot be written/);
  } finally {
    if (before === undefined) delete process.env.DUALTOKEN_CACHE;
    else process.env.DUALTOKEN_CACHE = before;
    await rm(folder, { recursive: true, force: true });
  }
});

test('binaries are kept, used without assembling, and made again where they are damaged', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'dualtoken-kernels-'));
  const works = (text?: string): Promise<void> =>
    withBackend({ cache: diskKernels(folder) }, async (backend) => {
      const program = addProgram(backend.caps, 64);
      const kernels = program.kernels.map((k) => ({ ...k, text: text ?? k.text }));
      const executable = await right(backend.load({ ...program, kernels }));
      await isSum((await right(executable.run(await vectors(backend, 64), {})))[0]!);
    });
  try {
    await works();
    const [name = '', ...more] = await readdir(folder);
    assert.ok(name.endsWith('.wasm') && more.length === 0);
    const binary = await readFile(join(folder, name));
    for (const damaged of [binary.subarray(0, 40), Buffer.from('nonsense'), binary.subarray(0, 8)]) {
      await writeFile(join(folder, name), damaged);
      await works();
      assert.equal(await readFile(join(folder, name)), binary);
    }
    await diskKernels(folder).put('no WebAssembly text', binary);
    await works('no WebAssembly text');
    await rm(folder, { recursive: true });
    try {
      await works('no WebAssembly text');
      assert.unreachable();
    } catch (e) {
      assert.match(String(e), /ShaderError: kernel 'add' does not compile:\s+.*\s*kernel\.wat:1:1/);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('memory above 4 GiB: kernels with addresses of 64 bits, or an error that says which engines have them', async () => {
  const memory = 5 * 2 ** 30;
  if (!hasMemory64(findEngine())) {
    assert.match(
      renderRunError(await left(openWasm({ memory }))),
      /memory is 5368709120 bytes; .* to 4 GiB here\. .* Node 24/,
    );
    return;
  }
  await withBackend({ memory, threads: 2 }, async (backend) => {
    assert.ok(backend.caps.memory64);
    const product = unwrap(T.matmul(f32([37, 45]), f32([45, 61], 1)));
    await agree([product, layerNorm(product, null, null, 1e-5)], { backends: [backend] });
  });
});

test.run();
