// The null backend, and profiles.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { renderRunError } from '../../src/runtime/error.ts';
import { openNull } from '../../src/runtime/null.ts';
import { Profile } from '../../src/runtime/profile.ts';
import { forEachBackend, left, right } from '../support/backends.ts';
import { addProgram, originOf, slot } from '../support/programs.ts';

const test = suite('runtime: null, profile');

test('null keeps sizes and refuses to be read', async () => {
  const backend = openNull();
  const program = addProgram(backend.caps, 100);
  const executable = await right(backend.load({ ...program, slots: [...program.slots, slot('temp', 1000)] }));
  const a = await right(backend.upload(new Float32Array(100), [100], 'f32'));
  const [y] = await right(executable.run([a, a], {}));
  assert.equal([y!.shape, y!.dtype], [[100], 'f32']);
  assert.match(renderRunError(await left(y!.read)), /'null' runs nothing/);
  assert.equal(backend.stats(), { liveBytes: 4800, peakBytes: 4800, buffers: 3, kernelsCompiled: 1, runs: 1 });
  for (const t of [a, y!]) t.free();
  executable.dispose();
  assert.is(backend.stats().liveBytes, 0);
});

forEachBackend(test, 'a profile names the slowest kernels', async (backend) => {
  const n = 1000;
  const program = addProgram(backend.caps, n);
  const step = program.steps[0]!;
  const named = (label: string, flops: number) => ({ ...step, origin: originOf(label, flops, 12 * n) });
  const steps = [named('plain', n), named('twice', 2 * n), named('plain', n)];
  const heard = { ...program, steps };
  const executable = await right(backend.load(heard));
  const a = await right(backend.upload(new Float32Array(n), [n], 'f32'));
  const profile = new Profile();
  for (let k = 0; k < 3; k++) {
    if (k === 1) assert.match(profile.table(), /ms in 2 kernels; of programs that ran once/);
    const [y] = await right(executable.run([a, a], {}, { profile: (times) => profile.add(heard, times) }));
    y!.free();
  }
  // The first of the three runs may have compiled shaders.
  const kernels = profile.kernels();
  assert.equal(kernels.map((k) => [k.origin.label, k.count]).sort(), [
    ['plain', 4],
    ['twice', 2],
  ]);
  assert.ok(Math.abs(kernels.reduce((s, k) => s + k.share, 0) - 1) < 1e-9);
  assert.ok(kernels.every((k) => k.ms > 0 && k.gflops > 0 && k.gbs > 0));
  assert.ok(kernels[0]!.ms >= kernels[1]!.ms);
  assert.match(
    profile.table(1),
    /GFLOP\/s.*\n.*(plain|twice) {2}generic {2}net\.(plain|twice)\n\.\.\. and 1 more\n.* ms in 2 kernels$/,
  );
  const { traceEvents } = JSON.parse(profile.trace());
  assert.is(traceEvents.length, 9);
  assert.ok(
    traceEvents.every(
      (e: { ts: number; dur: number; ph: string }, i: number) =>
        e.ph === 'X' && e.dur >= 0 && (i === 0 || e.ts >= traceEvents[i - 1].ts),
    ),
  );
  a.free();
  executable.dispose();
});

test.run();
