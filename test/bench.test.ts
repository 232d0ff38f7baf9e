// `npm run bench` without its peers: a workload measured and checked, and names that nobody has.
import { spawnSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Report } from '../bench/measure/results.ts';
import { webGpu } from './support/backends.ts';
import { projectDir } from './support/shared.ts';

const test = suite('bench');

const bench = (...args: readonly string[]) =>
  spawnSync(process.execPath, ['--import', 'tsx', 'bench/run.ts', ...args], { cwd: projectDir, encoding: 'utf8' });

test('dualtoken alone needs no packages: times, dispatches, memory, and an error against f64', async () => {
  const backend = (await webGpu()) === null ? 'gpujs' : 'webgpu';
  const { status, stdout, stderr } = bench(
    'layer norm',
    '--only',
    'ours',
    '--backend',
    backend,
    '--runs',
    '2',
    '--json',
  );
  assert.is(status, 0, stderr);
  const report: Report = JSON.parse(stdout);
  assert.is(report.backend, backend);
  assert.is(report.on, backend === 'webgpu' ? 'adapter' : 'processor');
  assert.equal(
    report.rows.map((r) => r.workload.name),
    ['layer norm 729x1152'],
  );
  const [entry] = report.rows[0]!.entries;
  assert.ok(entry?.status === 'measured', JSON.stringify(entry));
  const { ms, firstMs, error, precision, dispatches, peakBytes } = entry.timing;
  assert.ok(ms.min > 0 && ms.min <= ms.median && ms.median <= ms.max);
  assert.ok(firstMs > ms.min);
  assert.is(precision, 'f32');
  assert.ok(error > 0 && error < 1e-5, `${error}`);
  assert.is(dispatches, 1);
  assert.ok(peakBytes > 2 ** 25);
});

test('a workload, an entrant or a backend that is not there is one message', () => {
  for (const [args, message] of [
    [['nothing'], /no workload has 'nothing' in its name; there are\n {2}matmul 512x512x512/],
    [['--only', 'ours,theirs'], /there is no entrant 'theirs'; there are ours, ort-node/],
    [['--only', 'ours', '--backend', 'abacus'], /unknown backend 'abacus': webgpu or gpujs/],
    [['--runs', '0'], /'--runs <number>' argument '0' is invalid\. It must be a whole number from 1\./],
  ] as const) {
    const { status, stdout, stderr } = bench(...args);
    assert.is(status, 1);
    assert.is(stdout, '');
    assert.match(stderr, message);
  }
});

test.run();
