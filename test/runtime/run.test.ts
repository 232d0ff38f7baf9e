// What every backend does with a program: bindings, scalars, donation, copies, temporaries, sizes, refusals.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { call, castTo, int, scalarInput } from '../../src/compiler/ir/expr.ts';
import { forEachBackend, left, right } from '../support/backends.ts';
import {
  addProgram,
  copy,
  dispatch,
  elementwise,
  inPlace,
  input,
  kernelOf,
  output,
  programOf,
  slot,
  sum,
} from '../support/programs.ts';

const test = suite('runtime: run');
const ramp = (n: number, f: (i: number) => number = (i) => i): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => f(i));

forEachBackend(test, 'adds two tensors', async (backend) => {
  const n = 1000;
  const executable = await right(backend.load(addProgram(backend.caps, n)));
  const a = await right(backend.upload(ramp(n), [n], 'f32'));
  const b = await right(
    backend.upload(
      ramp(n, (i) => 2 * i),
      [n],
      'f32',
    ),
  );
  const [sumOf] = await right(executable.run([a, b], {}));
  assert.equal(sumOf!.shape, [n]);
  assert.equal(
    await right(sumOf!.read),
    ramp(n, (i) => 3 * i),
  );
  assert.is(a.freed, false);
  assert.equal(await right(a.read), ramp(n), 'inputs keep their values');
  for (const t of [a, b, sumOf!]) t.free();
  executable.dispose();
});

forEachBackend(test, 'uploads and reads back every dtype, odd lengths too', async (backend) => {
  const cases = [
    [Float32Array.of(1.5, -0, 3e38), 'f32'],
    [Uint16Array.of(0x3c00, 0xfbff, 1), 'f16'],
    [Uint16Array.of(0x3f80, 0xff7f, 1, 2, 3), 'bf16'],
    [Int32Array.of(-2147483648, 2147483647, 16777217), 'i32'],
    [Uint32Array.of(4294967295, 16777217, 0), 'u32'],
    [Uint32Array.of(1, 0, 1), 'bool'],
  ] as const;
  for (const [data, dtype] of cases) {
    const t = await right(backend.upload(data, [data.length], dtype));
    assert.equal(await right(t.read), data, dtype);
    t.free();
  }
});

forEachBackend(test, 'uploads a view into a larger array, and several chunks', async (backend) => {
  const n = 5_000_001;
  const data = ramp(n + 3, (i) => i % 8191).subarray(3);
  const t = await right(backend.upload(data, [n], 'f32'));
  const back = await right(t.read);
  assert.is(back.length, n);
  assert.ok(data.every((x, i) => x === back[i]));
  t.free();
});

for (const immediates of [true, false])
  forEachBackend(test, `binds scalars ${immediates ? 'as immediates' : 'in a uniform buffer'}`, async (backend) => {
    const n = 100;
    const scalars = [
      { slot: 'gain', scalar: 'f32' },
      { slot: 'shift', scalar: 'i32' },
    ] as const;
    const code = elementwise(
      'scale',
      n,
      ['f32'],
      'f32',
      (_, at) =>
        call('add', call('mul', at(0), scalarInput('gain', 'f32')), castTo(scalarInput('shift', 'i32'), 'f32')),
      { scalars },
    );
    const twice = { ...code, scalars: [...scalars].reverse() };
    const program = programOf(backend.caps, {
      kernels: [kernelOf(code, backend.caps, { immediates }), kernelOf(twice, backend.caps, { immediates })],
      steps: [dispatch(0, [0, 1], ['gain', 'shift']), dispatch(1, [1, 2], ['shift', 'gain'])],
      slots: [slot('input', n), slot('temp', n), slot('output', n)],
      inputs: [input('x', 0, n)],
      outputs: [output(2, n)],
      scalars: ['shift', 'gain'],
    });
    const executable = await right(backend.load(program));
    const x = await right(backend.upload(ramp(n), [n], 'f32'));
    for (const [gain, shift] of [
      [2, 3],
      [0.5, -7],
    ] as const) {
      const [y] = await right(executable.run([x], { gain, shift }));
      assert.equal(
        await right(y!.read),
        ramp(n, (i) => (i * gain + shift) * gain + shift),
      );
      y!.free();
    }
    const missing = await left(executable.run([x], { gain: 1 }));
    assert.is(missing._tag, 'BadInput');
    assert.match(missing._tag === 'BadInput' ? missing.message : '', /shift/);
    x.free();
    executable.dispose();
  });

forEachBackend(test, 'writes a donated input in place and hands its buffer on', async (backend) => {
  const n = 256;
  const code = inPlace(sum(n));
  const program = programOf(backend.caps, {
    kernels: [kernelOf(code, backend.caps)],
    steps: [dispatch(0, [0, 1])],
    slots: [slot('input', n), slot('input', n)],
    inputs: [input('state', 0, n, 'f32', true), input('x', 1, n)],
    outputs: [output(0, n)],
  });
  const executable = await right(backend.load(program));
  const x = await right(backend.upload(ramp(n), [n], 'f32'));
  let state = await right(backend.upload(new Float32Array(n), [n], 'f32'));
  const before = backend.stats().liveBytes;
  for (let k = 0; k < 3; k++) {
    const given = state;
    [state] = (await right(executable.run([given, x], {}))) as [typeof state];
    assert.is(given.freed, true);
    assert.match((await left(given.read))._tag, 'BadInput');
    assert.is((await left(executable.run([given, x], {})))._tag, 'BadInput');
  }
  assert.is(backend.stats().liveBytes, before);
  assert.equal(
    await right(state.read),
    ramp(n, (i) => 3 * i),
  );
  const twice = await left(executable.run([state, state], {}));
  assert.match(twice._tag === 'BadInput' ? twice.message : '', /given twice/);
  assert.equal(
    await right(state.read),
    ramp(n, (i) => 3 * i),
    'a refused run takes nothing',
  );
  for (const t of [x, state]) t.free();
  executable.dispose();
});

forEachBackend(test, 'copies between slots, and copies an input that is also an output', async (backend) => {
  const n = 70;
  const program = programOf(backend.caps, {
    kernels: [kernelOf(sum(n), backend.caps)],
    steps: [dispatch(0, [0, 0, 1]), copy(1, 2, n * 4), dispatch(0, [1, 2, 3])],
    slots: [slot('input', n), slot('temp', n), slot('output', n), slot('output', n)],
    inputs: [input('x', 0, n)],
    outputs: [output(2, n), output(3, n), output(0, n), output(3, n)],
  });
  const executable = await right(backend.load(program));
  const x = await right(backend.upload(ramp(n), [n], 'f32'));
  const results = await right(executable.run([x], {}));
  x.free();
  for (const [k, factor] of [2, 4, 1, 4].entries())
    assert.equal(
      await right(results[k]!.read),
      ramp(n, (i) => factor * i),
      `output ${k}`,
    );
  results[1]!.free();
  assert.equal(
    await right(results[3]!.read),
    ramp(n, (i) => 4 * i),
    'two outputs of one value are two tensors',
  );
  for (const t of results) t.free();
  executable.dispose();
});

forEachBackend(test, 'runs more than 65,535 workgroups', async (backend) => {
  const n = 65_536 * 2 + 1;
  const code = elementwise('count', n, [], 'i32', (i) => call('mul', i, int(3)), { workgroupSize: 1 });
  const program = programOf(backend.caps, {
    kernels: [kernelOf(code, backend.caps)],
    steps: [dispatch(0, [0])],
    slots: [slot('output', n)],
    inputs: [],
    outputs: [output(0, n, 'i32')],
  });
  const executable = await right(backend.load(program));
  const [counted] = await right(executable.run([], {}));
  const values = await right(counted!.read);
  assert.is(values.length, n);
  assert.ok(values.every((v, i) => v === 3 * i));
  counted!.free();
  executable.dispose();
});

forEachBackend(test, 'tensors without elements', async (backend) => {
  const program = addProgram(backend.caps, 0);
  const executable = await right(backend.load(program));
  const a = await right(backend.upload(new Float32Array(0), [0], 'f32'));
  const [sumOf] = await right(executable.run([a, a], {}));
  assert.equal(sumOf!.shape, [0]);
  assert.equal(await right(sumOf!.read), new Float32Array(0));
  for (const t of [a, sumOf!]) t.free();
  executable.dispose();
});

forEachBackend(test, 'binds a range of a buffer', async (backend) => {
  const n = 256;
  const half = n / 2;
  const step = dispatch(0, [0, 0, 1]);
  const ranged = {
    ...step,
    buffers: [
      { slot: 0, offset: 0, size: half * 4 },
      { slot: 0, offset: half * 4, size: half * 4 },
      { slot: 1, offset: half * 4, size: half * 4 },
    ],
  };
  const program = programOf(backend.caps, {
    kernels: [kernelOf(sum(half), backend.caps)],
    steps: [copy(0, 1, n * 4), ranged],
    slots: [slot('input', n), slot('output', n)],
    inputs: [input('x', 0, n)],
    outputs: [output(1, n)],
  });
  const executable = await right(backend.load(program));
  const x = await right(backend.upload(ramp(n), [n], 'f32'));
  const [y] = await right(executable.run([x], {}));
  assert.equal(
    await right(y!.read),
    ramp(n, (i) => (i < half ? i : i + i - half)),
  );
  for (const t of [x, y!]) t.free();
  executable.dispose();
});

forEachBackend(test, 'refuses wrong inputs by name', async (backend) => {
  const executable = await right(backend.load(addProgram(backend.caps, 8)));
  const a = await right(backend.upload(ramp(8), [8], 'f32'));
  const short = await right(backend.upload(ramp(4), [4], 'f32'));
  const whole = await right(backend.upload(new Int32Array(8), [8], 'i32'));
  const message = async (inputs: Parameters<typeof executable.run>[0]): Promise<string> => {
    const e = await left(executable.run(inputs, {}));
    return e._tag === 'BadInput' ? e.message : e._tag;
  };
  assert.match(await message([a]), /1 inputs for a program of 2/);
  assert.match(await message([a, null]), /input 'b', f32\[8\], is missing/);
  assert.match(await message([a, short]), /input 'b', f32\[8\], was given f32\[4\]/);
  assert.match(await message([a, whole]), /was given i32\[8\]/);
  short.free();
  assert.match((await left(backend.upload(ramp(3), [2, 2], 'f32')))._tag, 'BadInput');
  assert.match((await left(backend.upload(new Uint16Array(2), [2], 'f32')))._tag, 'BadInput');
  executable.dispose();
  assert.match(await message([a, a]), /disposed/);
  for (const t of [a, whole]) t.free();
});

forEachBackend(test, 'copies a part of a buffer from where it begins', async (backend) => {
  const [n, skipped] = [8, 4];
  const program = programOf(backend.caps, {
    kernels: [],
    steps: [copy(0, 1, n * 4, skipped * 4)],
    slots: [slot('input', n + skipped), slot('output', n)],
    inputs: [input('x', 0, n + skipped)],
    outputs: [output(1, n)],
  });
  const executable = await right(backend.load(program));
  const x = await right(backend.upload(ramp(n + skipped), [n + skipped], 'f32'));
  const [y] = await right(executable.run([x], {}));
  assert.equal(
    await right(y!.read),
    ramp(n, (i) => i + skipped),
  );
  for (const t of [x, y!]) t.free();
  executable.dispose();
});

forEachBackend(test, 'a thousand runs leave no memory behind', async (backend) => {
  const n = 300;
  const executable = await right(backend.load(addProgram(backend.caps, n)));
  const a = await right(backend.upload(ramp(n), [n], 'f32'));
  const once = async (): Promise<void> => {
    for (const t of await right(executable.run([a, a], {}))) t.free();
  };
  for (let k = 0; k < 10; k++) await once();
  const { liveBytes, peakBytes, buffers, runs } = backend.stats();
  for (let k = 0; k < 1000; k++) await once();
  await right(backend.idle);
  const after = backend.stats();
  assert.equal([after.liveBytes, after.peakBytes, after.buffers], [liveBytes, peakBytes, buffers]);
  assert.is(after.runs, runs + 1000);
  a.free();
  executable.dispose();
});

forEachBackend(test, 'runs at once share temporaries without mixing', async (backend) => {
  const n = 64;
  const program = programOf(backend.caps, {
    kernels: [kernelOf(sum(n), backend.caps)],
    steps: [dispatch(0, [0, 0, 1]), dispatch(0, [1, 1, 2])],
    slots: [slot('input', n), slot('temp', n), slot('output', n)],
    inputs: [input('x', 0, n)],
    outputs: [output(2, n)],
  });
  const executable = await right(backend.load(program));
  const results = await Promise.all(
    Array.from({ length: 20 }, async (_, k) => {
      const x = await right(
        backend.upload(
          ramp(n, (i) => i + k),
          [n],
          'f32',
        ),
      );
      const [y] = await right(executable.run([x], {}));
      x.free();
      const values = await right(y!.read);
      y!.free();
      return values;
    }),
  );
  for (const [k, values] of results.entries())
    assert.equal(
      values,
      ramp(n, (i) => 4 * (i + k)),
    );
  executable.dispose();
});

test.run();
