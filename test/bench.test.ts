// `npm run bench` without its peers: a workload measured and checked, and names that nobody has.
import { spawnSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Entry, Report, Timing } from '../bench/measure/results.ts';
import { markdown } from '../bench/report/markdown.ts';
import { workloads } from '../bench/workloads/list.ts';
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

const timing = (median: number, more: Partial<Timing> = {}): Timing => ({
  ms: { median, min: median, max: median },
  runs: 7,
  firstMs: 10 * median,
  startMs: 1,
  error: 1e-7,
  precision: 'f32',
  dispatches: 3,
  submits: 1,
  peakBytes: 5 * 2 ** 20,
  ...more,
});

test('a page has every column, counts right results on the adapter alone, and shows the others', () => {
  const entry = (id: string, on: 'adapter' | 'processor', time: Timing): Entry => ({
    id,
    name: id,
    on,
    status: 'measured',
    timing: time,
  });
  const entries: readonly Entry[] = [
    entry('ours', 'adapter', timing(2)),
    entry('right', 'adapter', timing(9)),
    entry('hasty', 'adapter', timing(1, { precision: 'wrong', error: 1 })),
    entry('outside', 'processor', timing(1)),
    { id: 'none', name: 'none', on: 'adapter', status: 'lacking', why: 'has no such model' },
  ];
  const [workload] = workloads;
  const report: Report = {
    command: 'npm run bench',
    device: 'a card, 32 lanes',
    on: 'adapter',
    backend: 'webgpu',
    node: 'v20',
    processor: 'cpu',
    cores: 2,
    day: '2026-01-01',
    runs: 7,
    cold: false,
    roofline: { flops: 1e12, bytes: 1e11 },
    versions: { dualtoken: '0.1.0' },
    rows: [{ workload: workload!, entries, cost: null }],
  };
  const page = markdown(report, 'costs.svg');
  const line = (start: string): string => page.split('\n').find((l) => l.startsWith(start)) ?? '';
  assert.match(line('# '), 'a card');
  assert.match(line(`| ${workload!.name}`), /\| right \| 9\.00 \| 4\.50x \|/);
  for (const head of ['rate', 'to ours', 'dispatches', 'first call, ms', 'peak MiB', 'error'])
    assert.match(line('|  |'), ` ${head} |`);
  assert.match(line('| ours'), /GFLOP\/s \| 1\.00x \| 3 \| 1 \| 20\.0 \|/);
  assert.match(line('| hasty'), 'wrong: not counted');
  assert.match(line('| outside'), 'on the processor: not counted');
  assert.match(line('| none'), 'has no such model');
  assert.match(page, '(costs.svg)');
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
