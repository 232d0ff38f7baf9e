// The WebAssembly backend's threads: the same bits for any number of them, scratch memory, kernels that stop, threads that end.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import * as E from 'fp-ts/lib/Either.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { noKernels } from '../../src/compiler/cache/cache.ts';
import type { HostArray } from '../../src/dsl/core/dtype.ts';
import { RunFailure, renderRunError } from '../../src/runtime/error.ts';
import { findEngine } from '../../src/runtime/wasm/engine.ts';
import { Memory, MIN_PAGES } from '../../src/runtime/wasm/memory.ts';
import { planPhases } from '../../src/runtime/wasm/plan.ts';
import { ThreadPool } from '../../src/runtime/wasm/pool.ts';
import { nodeSource } from '../../src/runtime/wasm/thread-node.ts';
import { webSource } from '../../src/runtime/wasm/thread-start.ts';
import { openWasm, wasmCaps } from '../../src/runtime/wasm/wasm.ts';
import { left, right } from '../support/backends.ts';
import { dispatch, input, output, programOf, slot } from '../support/programs.ts';
import { projectDir } from '../support/shared.ts';
import {
  add,
  addProgram,
  at,
  eachThreads,
  isSum,
  kernel,
  load,
  ramp,
  sized,
  upload,
  withBackend,
} from '../support/wasm.ts';

const test = suite('runtime: wasm threads');

test('a chain of long and short steps has the same bits on any number of threads', async () => {
  const n = 1 << 12;
  const steps = 120;
  // Each step reads what others wrote far away: a step that starts early shows.
  const mirror = kernel(
    n / 4,
    2,
    `(local.set $i (i32.sub (i32.const ${4 * (n - 4)}) (local.get $at)))
     (v128.store ${at(1)} (f32x4.add (f32x4.mul (v128.load (i32.add (local.get $b0) (local.get $i)))
       (f32x4.splat (f32.const 0.9375))) (f32x4.splat (f32.convert_i32_u (local.get $g)))))`,
  );
  const results: HostArray[] = [];
  for (const threads of eachThreads)
    await withBackend({ threads }, async (backend) => {
      const program = programOf(backend.caps, {
        kernels: [mirror],
        steps: Array.from({ length: steps }, (_, k) =>
          sized(
            dispatch(0, k === 0 ? [0, 1] : k === steps - 1 ? [1 + (steps % 2), 3] : k % 2 ? [1, 2] : [2, 1]),
            k % 7 < 3 ? 64 : 1 << 20,
          ),
        ),
        slots: [slot('input', n), slot('temp', n), slot('temp', n), slot('output', n)],
        inputs: [input('x', 0, n)],
        outputs: [output(3, n)],
      });
      const executable = await right(backend.load(program));
      const x = await upload(backend, ramp(n));
      for (let k = 0; k < 3; k++) {
        const [y] = await right(executable.run([x], {}));
        results.push(await right(y!.read));
        y!.free();
      }
    });
  let expected = ramp(n);
  for (let k = 0; k < steps; k++) {
    const from = expected;
    expected = ramp(n, (i) => Math.fround(Math.fround(from[n - 4 - (i & ~3) + (i & 3)]! * 0.9375) + (i >> 2)));
  }
  for (const r of results) assert.ok(r.every((v, i) => v === expected[i]));
});

test('chunks cover every group once', () => {
  for (const threads of [1, 2, 64])
    for (const groups of [1, 7, 8, 513, 100_003]) {
      const n = 4 * groups;
      const program = addProgram(wasmCaps(findEngine(), threads), n);
      for (const bytes of [0, 1, 40_000, 1e9]) {
        const [phase] = planPhases({ ...program, steps: [sized(program.steps[0]!, bytes)] }, [0], [], threads);
        assert.ok(phase!.chunks >= 1 && phase!.chunks <= Math.min(groups, 1023));
        if (bytes === 1) assert.is(phase!.chunks, 1);
      }
    }
});

test('every thread has scratch memory of its own', () =>
  withBackend({ threads: 4 }, async (backend) => {
    const n = 4096;
    const twice = kernel(
      n / 4,
      2,
      `(v128.store (local.get $scratch) ${load(0)})
       (v128.store offset=2032 (local.get $scratch) ${load(0)})
       (local.set $i (i32.const 200))
       (loop $wait (br_if $wait (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
       (v128.store ${at(1)} (f32x4.add (v128.load (local.get $scratch)) (v128.load offset=2032 (local.get $scratch))))`,
      { scratch: 2048 },
    );
    const program = programOf(backend.caps, {
      kernels: [twice],
      steps: [dispatch(0, [0, 1])],
      slots: [slot('input', n), slot('output', n)],
      inputs: [input('x', 0, n)],
      outputs: [output(1, n)],
    });
    const executable = await right(backend.load(program));
    const x = await upload(backend, ramp(n));
    for (let k = 0; k < 5; k++) await isSum((await right(executable.run([x], {})))[0]!, 2);
    assert.is(backend.stats().liveBytes, 6 * 4 * n + 4 * 2048);
  }));

test('a kernel that stops fails its run by name; others and later runs go on', async () => {
  const n = 4096;
  const trap = kernel(
    n / 4,
    2,
    `(if (f32.eq (f32.load ${at(0)}) (f32.const 1024)) (then (unreachable))) (v128.store ${at(1)} ${load(0)})`,
  );
  for (const threads of eachThreads)
    await withBackend({ threads }, async (backend) => {
      const program = programOf(backend.caps, {
        kernels: [trap, add(n)],
        steps: [dispatch(1, [0, 0, 1]), dispatch(0, [1, 2], [], 'picky'), dispatch(1, [2, 0, 3])],
        slots: [slot('input', n), slot('temp', n), slot('temp', n), slot('output', n)],
        inputs: [input('x', 0, n, 'f32', true)],
        outputs: [output(3, n)],
      });
      const executable = await right(backend.load(program));
      const run = async (f: (i: number) => number) => executable.run([await upload(backend, ramp(n, f))], {})();
      const [bad, good] = [(i: number) => i, (i: number) => i + 0.25];
      const outcomes = await Promise.all([good, bad, bad, good, bad].map(run));
      assert.equal(outcomes.map(E.isRight), [true, false, false, true, false]);
      const failed = outcomes[1]!;
      const error = E.isLeft(failed) ? renderRunError(failed.left) : '';
      assert.match(error, /stopped: unreachable\n {2}in kernel 'picky'\n {2}from picky\.ts:1 {3}net\.picky/);
      const again = await run(good);
      assert.ok(E.isRight(again));
      assert.is((await right(again.right[0]!.read))[4], 3 * 4.25);
    });
});

test('a lost thread fails the runs in flight and everything after', async () => {
  const engine = findEngine();
  const memory = new Memory(engine, MIN_PAGES);
  const pool = new ThreadPool(memory, 2);
  memory.attach(pool);
  await pool.start();
  const step = { index: 0, kernel: -1, groups: 8, slots: [0, 0], offsets: [], scalars: [], scratch: false } as const;
  const phases = [{ step: { ...step, bytes: 8, groupBytes: 1 }, chunks: 8, tail: [] }];
  const request = {
    slots: new Float64Array(1),
    scalars: new Float64Array(0),
    scratch: 0,
    scratchBytes: 0,
    times: null,
  };
  const errors = {
    blame: (_: number, why: string) => new RunFailure({ _tag: 'BadInput', message: why }),
    lose: (reason: string) => new RunFailure({ _tag: 'BadInput', message: reason }),
  };
  const known = pool.addProgram(phases);
  assert.is(await pool.run(known, request, errors), null);
  // A program that the threads do not know is nothing they can blame a step for.
  const unknown = pool.run({ ...known, id: 999 }, request, errors);
  const next = pool.run(known, request, errors);
  for (const over of [unknown, next]) assert.match(String(await over), /undefined/);
  assert.throws(() => pool.check(), /device was lost: .*undefined/);
});

test('dispose ends runs in flight', async () => {
  const backend = await right(openWasm({ cache: noKernels, threads: 3 }));
  const forever = kernel(3, 1, '(loop $again (br $again))');
  const program = programOf(backend.caps, {
    kernels: [forever],
    steps: [dispatch(0, [0], [], 'forever')],
    slots: [slot('output', 12)],
    inputs: [],
    outputs: [output(0, 12)],
  });
  const executable = await right(backend.load(program));
  const [first, second] = [executable.run([], {})(), executable.run([], {})()];
  backend.dispose();
  for (const over of [await first, await second]) {
    assert.ok(E.isLeft(over));
    assert.match(renderRunError(over.left), /was lost: the runtime was disposed[\s\S]*'forever'/);
  }
  assert.is((await left(backend.upload(new Float32Array(4), [4], 'f32')))._tag, 'DeviceLost');
  assert.is((await left(backend.idle))._tag, 'DeviceLost');
});

test('a process ends without dispose, from a run that it waits for', async () => {
  const script = `
    import { openWasm } from './src/runtime/wasm/wasm.ts';
    const { right: backend } = await openWasm({ threads: 2 })();
    const text = '(module (import "env" "memory" (memory 1 65536 shared)) (func (export "run") (param i32 i32 i32 i32) (local $i i32) (local.set $i (i32.const 200000000)) (loop $l (br_if $l (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))))';
    const kernel = { digest: 'k', text, bindings: [], scalars: [], workgroupSize: 1, groups: 8 };
    const origin = { label: '', why: '', site: '', path: '', schedule: '', flops: 0, bytes: 0 };
    const { right: executable } = await backend.load({ digest: 'p', target: 'wasm', kernels: [kernel], steps: [{ kind: 'dispatch', kernel: 0, buffers: [{ slot: 0 }], scalars: [], origin }], slots: [{ holds: 'output', bytes: 16 }], inputs: [], scalars: [], outputs: [{ shape: [4], dtype: 'f32', slot: 0 }] })();
    const { right: [y] } = await executable.run([], {})();
    console.log(y.shape.join());`;
  const run = promisify(execFile);
  const args = ['--conditions=dualtoken-source', '--import', 'tsx', '--input-type=module', '-e', script];
  const { stdout } = await run(process.execPath, args, {
    cwd: projectDir,
    env: { ...process.env, DUALTOKEN_CACHE: 'off' },
    timeout: 60_000,
  });
  assert.is(stdout.trim(), '4');
});

test("a thread's program is its own text, in Node and in a browser", async () => {
  for (const source of [nodeSource(), webSource()]) assert.not.match(source, /__name|import\(|import_/);
  // A browser's worker, as far as the text uses one.
  const shim = `const { parentPort } = require('node:worker_threads');
    globalThis.postMessage = (message) => parentPort.postMessage(message);
    parentPort.on('message', (data) => globalThis.onmessage({ data }));`;
  const worker = new Worker(`${shim}\n${webSource()}`, { eval: true, execArgv: [] });
  const memory = new Memory(findEngine(), MIN_PAGES);
  const times = new Float64Array(new SharedArrayBuffer(16));
  const step = {
    index: 0,
    kernel: -1,
    groups: 1,
    slots: [0, 1],
    offsets: [0, 0],
    scalars: [],
    scratch: false,
    bytes: 8,
    groupBytes: 8,
  };
  const slots = Uint32Array.of(70_000, 80_000);
  memory.view(70_000, 8).fill(7);
  const control = new Int32Array(new SharedArrayBuffer(12));
  worker.postMessage({ kind: 'start', index: 0, memory: memory.shared, control });
  worker.postMessage({ kind: 'program', program: 0, phases: [{ step, chunks: 1, tail: [] }] });
  worker.postMessage({
    kind: 'run',
    run: 5,
    program: 0,
    base: 0,
    slots,
    scalars: new Float64Array(0),
    scratch: 0,
    scratchBytes: 0,
    times,
  });
  const [done] = await once(worker, 'message');
  await worker.terminate();
  assert.equal(done, { kind: 'done', run: 5, failed: false });
  assert.equal([...memory.view(80_000, 9)], [7, 7, 7, 7, 7, 7, 7, 7, 0]);
  assert.ok(times[1]! >= times[0]! && Math.abs(times[0]! / 1e6 - Date.now()) < 60_000);
});

test.run();
