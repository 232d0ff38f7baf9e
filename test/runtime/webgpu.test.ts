// What only the device can get wrong: shaders, limits, memory, loss; and that each is a typed error.
import { spawnSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Program } from '../../src/compiler/program.ts';
import { attempt } from '../../src/runtime/attempt.ts';
import { renderRunError } from '../../src/runtime/error.ts';
import { hardwareCaps } from '../../src/runtime/null.ts';
import { openDevice } from '../../src/runtime/webgpu/device.ts';
import { foldGroups } from '../../src/runtime/webgpu/grid.ts';
import { Health } from '../../src/runtime/webgpu/health.ts';
import { type Allocator, classOf, Pool, usage } from '../../src/runtime/webgpu/pool.ts';
import type { WebGpuBackend } from '../../src/runtime/webgpu/webgpu.ts';
import { freshWebGpu, left, right, webGpu } from '../support/backends.ts';
import { addProgram, dispatch, input, kernelOf, output, programOf, slot, sum } from '../support/programs.ts';
import { projectDir } from '../support/shared.ts';
import { skip } from '../support/skip.ts';

const test = suite('runtime: webgpu');

/** Registers a test that is a counted skip without an adapter. `own`: it gets a device of its own, which it may break. */
const onDevice = (name: string, own: boolean, body: (backend: WebGpuBackend) => Promise<void>): void => {
  test(name, async () => {
    const backend = await (own ? freshWebGpu() : webGpu());
    if (!backend) return;
    await body(backend);
    if (own) backend.dispose();
  });
};

test('groups fold into two dimensions with little overshoot', () => {
  for (const groups of [1, 65_535, 65_536, 65_537, 131_071, 1_000_003, 65_535 * 65_535]) {
    const { x, y } = foldGroups(groups, 65_535);
    assert.ok(x <= 65_535 && y <= 65_535 && x * y >= groups && x * y - groups < y, `${groups}: ${x} x ${y}`);
  }
});

test('size classes waste at most a thirty-second and never pass the limit', () => {
  const limit = 2 ** 32 - 1;
  for (const bytes of [1, 16, 255, 257, 5000, 2 ** 20, 2 ** 20 + 16, 151_936 * 896 * 2, 2 ** 32 - 16]) {
    const size = classOf(bytes, limit);
    assert.ok(size >= bytes && size <= limit && size % 16 === 0 && size <= bytes * 1.032 + 256, `${bytes}: ${size}`);
  }
});

onDevice('a shader that does not compile names the kernel and quotes the line', false, async (backend) => {
  const program = addProgram(backend.caps, 8);
  const kernel = program.kernels[0]!;
  const broken = { ...kernel, text: kernel.text.replace('b0[', 'missing[') };
  const error = await left(backend.load({ ...program, kernels: [broken] }));
  assert.is(error._tag, 'ShaderError');
  if (error._tag !== 'ShaderError') return;
  assert.is(error.kernel, 'add');
  assert.is(error.source, broken.text);
  assert.match(renderRunError(error), /line \d+:\d+: unresolved value 'missing'\n\s+\| .*missing\[/);
  assert.is((await backend.load(program)())._tag, 'Right', 'the backend still works');
});

onDevice('a binding that the device refuses names the step, its site and path', true, async (backend) => {
  const n = 64;
  const program = programOf(backend.caps, {
    kernels: [kernelOf(sum(n), backend.caps)],
    steps: [dispatch(0, [0, 0, 1], [], 'fine'), dispatch(0, [0, 1, 1], [], 'aliased')],
    slots: [slot('input', n), slot('output', n)],
    inputs: [input('x', 0, n)],
    outputs: [output(1, n)],
  });
  const executable = await right(backend.load(program));
  const x = await right(backend.upload(new Float32Array(n), [n], 'f32'));
  const { liveBytes } = backend.stats();
  const error = await left(executable.run([x], {}));
  assert.is(error._tag, 'ValidationError');
  if (error._tag !== 'ValidationError') return;
  assert.is(error.kernel, 'aliased');
  assert.is(error.site, 'aliased.ts:1   net.aliased');
  assert.match(error.message, /writable usage/);
  assert.is(backend.stats().liveBytes, liveBytes, 'the outputs of the failed run are freed');
  assert.equal(await right(x.read), new Float32Array(n), 'the backend still works');
});

onDevice('a buffer or binding over the limit is TooLarge, before the device is asked', false, async (backend) => {
  const { binding, buffer } = backend.caps.limits;
  const over = (bytes: number): Program => ({
    ...addProgram(backend.caps, 8),
    slots: [slot('input', 8), slot('input', 8), { holds: 'output', bytes }],
  });
  const wide = over(binding + 16);
  assert.is((await backend.load(wide)())._tag, 'Right', 'a large slot may hold a small tensor');
  const kernels = wide.kernels.map((k) => ({
    ...k,
    bindings: k.bindings.map((b) => ({ ...b, length: binding / 4 + 4 })),
  }));
  const tooWide = await left(backend.load({ ...wide, kernels }));
  assert.is(tooWide._tag, 'TooLarge');
  assert.is(tooWide._tag === 'TooLarge' && tooWide.limit, binding);
  const program = over(buffer + 1);
  const parts = { ...program, steps: [] };
  const tooBig = await left(backend.load(parts));
  assert.equal([tooBig._tag, tooBig._tag === 'TooLarge' && tooBig.limit], ['TooLarge', buffer]);
});

onDevice('a lost device fails pending and future calls with DeviceLost', true, async (backend) => {
  const executable = await right(backend.load(addProgram(backend.caps, 8)));
  const a = await right(backend.upload(new Float32Array(8), [8], 'f32'));
  const [first] = await right(executable.run([a, a], {}));
  const pending = first!.read();
  backend.loseDeviceForTest();
  const result = await pending;
  assert.is(result._tag === 'Left' ? result.left._tag : 'read', 'DeviceLost');
  if (result._tag === 'Left')
    assert.match(renderRunError(result.left), /device was lost[\s\S]*while it ran 'add'\n {2}from \S+:\d/);
  for (const work of [
    first!.read,
    executable.run([a, a], {}),
    backend.upload(new Float32Array(8), [8], 'f32'),
    backend.load(addProgram(backend.caps, 9)),
    backend.idle,
  ])
    assert.is((await left(work))._tag, 'DeviceLost');
  const again = await freshWebGpu();
  assert.ok(again, 'a new device opens');
  again?.dispose();
});

test('an uncaptured error is a typed one that names the program submitted last; a loss explains more', async () => {
  let lose: (info: { reason: string; message: string }) => void = () => {};
  const device = {
    lost: new Promise((done) => (lose = done)),
    onuncapturederror: null as null | ((e: unknown) => void),
  };
  const health = new Health(device as unknown as GPUDevice);
  health.submitted({
    ...addProgram(hardwareCaps, 8),
    steps: [dispatch(0, [0, 1, 2], [], 'first'), dispatch(0, [0, 1, 2])],
  });
  device.onuncapturederror?.({ error: { message: 'a buffer is gone' } });
  const found = await left(health.guard(async () => 1));
  assert.is(found._tag, 'ValidationError');
  assert.is(renderRunError(found), "a buffer is gone\n  in kernel 'first and 1 more'\n  from first.ts:1   net.first");
  lose({ reason: 'unknown', message: 'the driver reset' });
  await device.lost;
  assert.match(
    renderRunError(await left(health.guard(async () => 1))),
    /lost: the driver reset[\s\S]*while it ran 'first and 1 more'/,
  );
});

onDevice('a disposed backend says so', true, async (backend) => {
  backend.dispose();
  const error = await left(backend.upload(new Float32Array(8), [8], 'f32'));
  assert.match(renderRunError(error), /disposed/);
});

onDevice('one shader text is compiled once', true, async (backend) => {
  const program = addProgram(backend.caps, 8);
  await Promise.all([right(backend.load(program)), right(backend.load(program))]);
  await right(
    backend.load({
      ...program,
      kernels: [program.kernels[0]!, program.kernels[0]!],
      steps: [0, 1].map((k) => dispatch(k, [0, 1, 2])),
    }),
  );
  assert.is(backend.stats().kernelsCompiled, 1);
});

onDevice('profiles thousands of steps', false, async (backend) => {
  const n = 64;
  const program = addProgram(backend.caps, n);
  const steps = Array.from({ length: 2100 }, () => program.steps[0]!);
  const executable = await right(backend.load({ ...program, steps }));
  const a = await right(backend.upload(new Float32Array(n).fill(1), [n], 'f32'));
  let times: readonly { readonly step: number; readonly startNs: number; readonly durationNs: number }[] = [];
  const [result] = await right(
    executable.run(
      [a, a],
      {},
      {
        profile: (t) => {
          times = t;
        },
      },
    ),
  );
  assert.equal(await right(result!.read), new Float32Array(n).fill(2));
  assert.equal(
    times.map((t) => t.step),
    steps.map((_, i) => i),
  );
  assert.ok(times.every((t) => t.startNs >= 0 && t.durationNs >= 0));
  assert.ok(times.some((t) => t.durationNs > 0));
  for (const t of [a, result!]) t.free();
  executable.dispose();
});

/** A device with room for `room` bytes: software adapters promise any amount, and say nothing when it is not there. */
const cramped = (device: GPUDevice, room: number): Allocator & { readonly held: () => number } => {
  let held = 0;
  let refused: GPUError | null = null;
  return {
    held: () => held,
    pushErrorScope: (filter) => device.pushErrorScope(filter),
    popErrorScope: async () => {
      const error = await device.popErrorScope();
      const own = refused;
      refused = null;
      return own ?? error;
    },
    createBuffer: ({ size, usage: flags }) => {
      const buffer = device.createBuffer({ size: 16, usage: flags });
      const destroy = buffer.destroy.bind(buffer);
      if (held + size > room) refused = { message: 'no room' };
      else held += size;
      const taken = refused ? 0 : size;
      buffer.destroy = () => {
        held -= taken;
        return destroy();
      };
      return buffer;
    },
  };
};

test('no room is OutOfMemory, after idle buffers were given up', async () => {
  const opened = await openDevice();
  if (opened._tag === 'Left') return skip(`out of memory: ${renderRunError(opened.left)}`);
  const { device } = opened.right;
  const mib = 2 ** 20;
  const small = cramped(device, 100 * mib);
  const pool = new Pool(small, 2 ** 32, 2 ** 32, usage.storage);
  const idle = await pool.allocate(60 * mib, 'the first');
  pool.release(idle);
  const second = await pool.allocate(80 * mib, 'the second');
  assert.is(small.held(), 80 * mib, 'the idle buffer made room');
  const error = await left(attempt(() => pool.allocate(30 * mib, 'the third')));
  assert.equal(error, { _tag: 'OutOfMemory', asked: 30 * mib, what: 'the third' });
  assert.is(pool.liveBytes, 80 * mib);
  pool.release(second);
  pool.trim(0);
  assert.equal([small.held(), pool.liveBytes, pool.buffers], [0, 0, 0]);
  device.destroy();
});

onDevice('the process ends by itself, with tensors and runs still open', false, async () => {
  const script = `
    import { openWebGpu } from './src/runtime/webgpu/webgpu.ts';
    const opened = await openWebGpu();
    if (opened._tag === 'Left') throw new Error('no adapter');
    const t = await opened.right.upload(new Float32Array(1000), [1000], 'f32')();
    if (t._tag === 'Left') throw new Error('no upload');
    console.log((await t.right.read())._tag);
  `;
  const args = ['--import', 'tsx', '--input-type=module', '--eval', script];
  const { status, signal, stdout } = spawnSync(process.execPath, args, {
    cwd: projectDir,
    encoding: 'utf8',
    timeout: 60_000,
  });
  assert.equal([status, signal, stdout.trim()], [0, null, 'Right']);
});

test.run();
