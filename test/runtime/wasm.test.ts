import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { StepTime } from '../../src/runtime/backend.ts';
import { renderRunError } from '../../src/runtime/error.ts';
import { findEngine } from '../../src/runtime/wasm/engine.ts';
import { openWasm } from '../../src/runtime/wasm/wasm.ts';
import { left, right } from '../support/backends.ts';
import { copy, dispatch, input, output, programOf, slot } from '../support/programs.ts';
import {
  add,
  addProgram,
  at,
  isSum,
  kernel,
  load,
  ramp,
  sized,
  upload,
  vectors,
  withBackend,
} from '../support/wasm.ts';

const test = suite('runtime: wasm');

test('adds two tensors', () =>
  withBackend({}, async (backend) => {
    const executable = await right(backend.load(addProgram(backend.caps, 1000)));
    const [y] = await right(executable.run(await vectors(backend, 1000), {}));
    await isSum(y!);
    assert.is(backend.stats().kernelsCompiled, 1);
    await right(backend.load({ ...addProgram(backend.caps, 1000), digest: 'another with the same kernel' }));
    assert.is(backend.stats().kernelsCompiled, 1);
  }));

test('programs without steps, and tensors without elements', () =>
  withBackend({ threads: 2 }, async (backend) => {
    const busy = await right(backend.load(addProgram(backend.caps, 4096)));
    const idle = programOf(backend.caps, {
      kernels: [],
      steps: [],
      slots: [slot('input', 8)],
      inputs: [input('x', 0, 8, 'f32', true)],
      outputs: [output(0, 8)],
    });
    const executable = await right(backend.load(idle));
    const given = await vectors(backend, 4096);
    const results = Array.from({ length: 40 }, async () => {
      const before = right(busy.run(given, {}));
      const [y] = await right(executable.run([await upload(backend, ramp(8))], {}));
      await isSum(y!, 1);
      await isSum((await before)[0]!);
    });
    await Promise.all(results);
    const none = await right(backend.load(addProgram(backend.caps, 0)));
    const empty = await upload(backend, new Float32Array(0));
    const [sum] = await right(none.run([empty, empty], {}));
    assert.equal(await right(sum!.read), new Float32Array(0));
  }));

test('scalars: f32, and whole numbers as their 32 bits', () =>
  withBackend({}, async (backend) => {
    const store = (offset: number, value: string): string => `(i32.store offset=${offset} ${at(0)} ${value})`;
    const code = kernel(
      1,
      1,
      [
        store(0, '(i32.reinterpret_f32 (local.get $s0))'),
        store(4, '(local.get $s1)'),
        store(8, '(local.get $s2)'),
      ].join(' '),
      { scalars: ['f32', 'i32', 'u32'] },
    );
    const program = programOf(backend.caps, {
      kernels: [code],
      steps: [dispatch(0, [0], ['f', 'i', 'u'])],
      slots: [slot('output', 4)],
      inputs: [],
      outputs: [output(0, 3, 'i32')],
      scalars: ['u', 'f', 'i'],
    });
    const executable = await right(backend.load(program));
    const [y] = await right(executable.run([], { f: 0.1, i: -7, u: 4294967295 }));
    const words = await right(y!.read);
    assert.equal([...words], [new Int32Array(Float32Array.of(0.1).buffer)[0], -7, -1]);
    const missing = await left(executable.run([], { f: 1, i: 2 }));
    assert.match(renderRunError(missing), /'u'/);
  }));

test('copies between slots and into outputs, ranges of buffers', () =>
  withBackend({ threads: 3 }, async (backend) => {
    const n = 70_000;
    const halves = dispatch(1, []);
    const part = (slot: number, offset: number) => ({ slot, offset, size: 2 * n });
    const half = (offset: number) => ({ ...halves, buffers: [part(1, offset), part(1, offset), part(3, offset)] });
    const program = programOf(backend.caps, {
      kernels: [add(n), add(n / 2)],
      steps: [dispatch(0, [0, 0, 1]), copy(1, 2, n * 4), half(0), half(2 * n)],
      slots: [slot('input', n), slot('temp', n), slot('output', n), slot('output', n)],
      inputs: [input('x', 0, n)],
      outputs: [output(2, n), output(3, n), output(0, n), output(3, n)],
    });
    const executable = await right(backend.load(program));
    const x = await upload(backend, ramp(n));
    const results = await right(executable.run([x], {}));
    x.free();
    for (const [k, factor] of [2, 4, 1, 4].entries()) await isSum(results[k]!, factor);
    results[1]!.free();
    await isSum(results[3]!, 4);
  }));

test('writes a donated input in place and hands its memory on', () =>
  withBackend({ threads: 2 }, async (backend) => {
    const n = 4096;
    const inPlace = kernel(n / 4, 2, `(v128.store ${at(0)} (f32x4.add ${load(0)} ${load(1)}))`);
    const program = programOf(backend.caps, {
      kernels: [inPlace],
      steps: [dispatch(0, [0, 1])],
      slots: [slot('input', n), slot('input', n)],
      inputs: [input('state', 0, n, 'f32', true), input('x', 1, n)],
      outputs: [output(0, n)],
    });
    const executable = await right(backend.load(program));
    const x = await upload(backend, ramp(n));
    let state = await upload(backend, new Float32Array(n));
    const before = backend.stats();
    for (let k = 0; k < 3; k++) {
      const given = state;
      state = (await right(executable.run([given, x], {})))[0]!;
      assert.is(given.freed, true);
      assert.is((await left(given.read))._tag, 'BadInput');
    }
    await isSum(state);
    assert.equal(backend.stats(), { ...before, kernelsCompiled: 1, runs: 3 });
    assert.match(renderRunError(await left(executable.run([state, state], {}))), /given twice/);
  }));

test('a profile has every step', () =>
  withBackend({ threads: 3 }, async (backend) => {
    const n = 4096;
    const program = programOf(backend.caps, {
      kernels: [add(n)],
      steps: [dispatch(0, [0, 0, 1]), sized(dispatch(0, [1, 1, 2]), 1), copy(2, 3, 4 * n), dispatch(0, [0, 3, 4])],
      slots: [slot('input', n), slot('temp', n), slot('temp', n), slot('output', n), slot('output', n)],
      inputs: [input('x', 0, n)],
      outputs: [output(3, n), output(4, n), output(0, n)],
    });
    const executable = await right(backend.load(program));
    const x = await upload(backend, ramp(n));
    let times: readonly StepTime[] = [];
    const profile = (t: readonly StepTime[]): void => {
      times = t;
    };
    await right(executable.run([x], {}, { profile }));
    assert.equal(
      times.map((t) => t.step),
      [0, 1, 2, 3],
    );
    assert.is(times[0]!.startNs, 0);
    for (const [k, t] of times.entries()) {
      assert.ok(t.durationNs > 0 && t.durationNs < 5e9);
      assert.ok(k === 0 || t.startNs >= times[k - 1]!.startNs + times[k - 1]!.durationNs, 'steps follow each other');
    }
  }));

test('says what is missing, and refuses wrong options', async () => {
  assert.throws(() => findEngine({}), /has no WebAssembly/);
  for (const threads of [0, 1.5, 1000])
    assert.match(renderRunError(await left(openWasm({ threads }))), /threads is .*from 1 to 256/);
  assert.match(renderRunError(await left(openWasm({ memory: 100 }))), /memory is 100 bytes/);
  process.env.DUALTOKEN_THREADS = 'many';
  try {
    assert.match(renderRunError(await left(openWasm())), /DUALTOKEN_THREADS is 'many'/);
    process.env.DUALTOKEN_THREADS = '3';
    await withBackend({ relaxedSimd: false }, async ({ caps }) => {
      assert.equal([caps.name, caps.fingerprint], ['WebAssembly, 128-bit SIMD, 3 threads', 'wasm-simd']);
    });
  } finally {
    delete process.env.DUALTOKEN_THREADS;
  }
  await withBackend({}, async (backend) => {
    const program = { ...addProgram(backend.caps, 8), target: 'wgsl' as const };
    assert.match(renderRunError(await left(backend.load(program))), /'wgsl' on the wasm backend/);
  });
});

test.run();
