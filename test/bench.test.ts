// `npm run bench` without its peers: a workload measured and checked, and names that nobody has.
import { spawnSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { chooseEntrants, chooseWorkloads } from '../bench/choose.ts';
import type { Entry, Report, Timing } from '../bench/measure/results.ts';
import { markdown } from '../bench/report/markdown.ts';
import { targets, verdictOf } from '../bench/targets.ts';
import { type Workload, workloads } from '../bench/workloads/list.ts';
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

test('in WebAssembly, on an engine that is named: a row of its table, and first calls from the disk cache', () => {
  const { status, stdout, stderr } = bench(
    'softmax',
    'first call from',
    ...['--only', 'ours', '--backend', 'wasm', '--engine', process.execPath, '--runs', '1', '--json'],
  );
  assert.is(status, 0, stderr);
  const report: Report = JSON.parse(stdout);
  assert.is(report.on, 'wasm');
  assert.is(report.node, process.version);
  assert.match(report.device, /^WebAssembly/);
  assert.equal(
    report.rows.map(({ workload, first }) => [workload.name, first]),
    [
      ['softmax 4096x1024', null],
      ['ViT-Base block, 196 tokens, first call from the disk cache', 'cached'],
    ],
  );
  for (const { entries } of report.rows) {
    const [mine] = entries;
    assert.ok(mine?.status === 'measured' && mine.timing.precision === 'f32', JSON.stringify(mine));
    assert.ok(mine.timing.dispatches! > 0);
  }
  const [softmax, first] = report.rows.map((row) => row.target);
  assert.equal(softmax, {
    wanted: 'at least 0.77x beside ort-web-wasm',
    measured: 'no right result of ort-web-wasm',
    kept: null,
  });
  assert.is(first?.wanted, 'at most 300 ms');
  assert.type(first?.kept, 'boolean');
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

const entry = (id: string, on: Entry['on'], time: Timing, counts = on === 'adapter'): Entry => ({
  id,
  name: id,
  on,
  counts,
  status: 'measured',
  timing: time,
});

test('a page has every column, counts right results on the adapter alone, and shows the others', () => {
  const entries: readonly Entry[] = [
    entry('ours', 'adapter', timing(2)),
    entry('right', 'adapter', timing(9)),
    entry('hasty', 'adapter', timing(1, { precision: 'wrong', error: 1 })),
    entry('outside', 'processor', timing(1)),
    { id: 'none', name: 'none', on: 'adapter', counts: true, status: 'lacking', why: 'has no such model' },
  ];
  const [workload] = workloads;
  const report: Report = {
    command: 'npm run bench',
    device: 'a card, 32 lanes',
    on: 'adapter',
    backend: 'webgpu',
    node: 'v20',
    relaxedSimd: false,
    processor: 'cpu',
    cores: 2,
    day: '2026-01-01',
    runs: 7,
    cold: false,
    roofline: { flops: 1e12, bytes: 1e11 },
    versions: { dualtoken: '0.1.0' },
    rows: [
      {
        workload: workload!,
        entries,
        cost: null,
        first: null,
        target: { wanted: 'at least 5.00x beside right', measured: '4.50x', kept: false },
      },
    ],
  };
  const page = markdown(report, 'costs.svg');
  const line = (start: string): string => page.split('\n').find((l) => l.startsWith(start)) ?? '';
  assert.match(line('# '), 'a card');
  assert.match(
    line(`| ${workload!.name}`),
    /\| right \| 9\.00 \| 4\.50x \|.*\| at least 5\.00x beside right \| MISSED: 4\.50x \|$/,
  );
  for (const head of ['rate', 'to ours', 'dispatches', 'first call, ms', 'peak MiB', 'error'])
    assert.match(line('|  |'), ` ${head} |`);
  assert.match(line('| ours'), /GFLOP\/s \| 1\.00x \| 3 \| 1 \| 20\.0 \|/);
  assert.match(line('| hasty'), 'wrong: not counted');
  assert.match(line('| outside'), 'on the processor: not counted');
  assert.match(line('| none'), 'has no such model');
  assert.match(page, '(costs.svg)');
});

test("the rows in WebAssembly are those with targets, beside dualtoken's rivals there", () => {
  const names = chooseWorkloads([], { backend: 'wasm' }).map(({ workload }) => workload.name);
  assert.equal(names.toSorted(), Object.keys(targets).toSorted());
  const ids = chooseEntrants({ backend: 'wasm' }).map((e) => e.id);
  assert.equal(ids, ['ours', 'ours-webgpu', 'ort-node-cpu', 'ort-web-wasm', 'jax-js-wasm', 'tfjs-wasm']);
  for (const target of Object.values(targets))
    if (target && 'beside' in target) for (const id of target.beside) assert.ok(ids.includes(id), id);
  assert.not(chooseEntrants({ backend: 'webgpu' }).some((e) => e.id === 'ours-webgpu'));
  assert.equal(
    chooseWorkloads([], { backend: 'webgpu' }).map(({ workload }) => workload),
    workloads,
  );
});

test('a target is held against the fastest of its peers, or against a time, and is not judged without right results', () => {
  const wasm = (id: string, ms: number, more?: Partial<Timing>) => entry(id, 'wasm', timing(ms, more), true);
  const named = (name: string): Workload => ({ ...workloads[0]!, name });
  const verdict = (name: string, entries: readonly Entry[], relaxedSimd = false, backend = 'wasm') =>
    verdictOf({ backend, relaxedSimd }, { workload: named(name), entries });
  const product = 'matmul 1024x1024x1024';
  const three = [wasm('ours', 10), wasm('ort-web-wasm', 12), wasm('jax-js-wasm', 14), wasm('tfjs-wasm', 1)];
  const beside = (least: string) => `at least ${least} beside ort-web-wasm and jax-js-wasm`;
  assert.equal(verdict(product, three), { wanted: beside('1.00x'), measured: '1.20x', kept: true });
  assert.equal(verdict(product, three, true), { wanted: beside('1.50x'), measured: '1.20x', kept: false });
  const wrong = [...three.slice(0, 2), wasm('jax-js-wasm', 14, { precision: 'wrong' })];
  for (const entries of [three.slice(0, 2), three.slice(1), wrong]) assert.is(verdict(product, entries)?.kept, null);
  const first = 'ViT-Base block, 196 tokens, first call, cold';
  assert.equal(verdict(first, [wasm('ours', 999)]), { wanted: 'at most 1000 ms', measured: '999.0 ms', kept: true });
  assert.is(verdict(first, [wasm('ours', 1001)])?.kept, false);
  assert.is(verdict('matmul 729x1152x4304', three), null);
  assert.is(verdict(product, three, false, 'webgpu'), null);
});

test('a workload, an entrant or a backend that is not there is one message', () => {
  for (const [args, message] of [
    [['nothing'], /no workload has 'nothing' in its name; there are\n {2}matmul 512x512x512/],
    [['--only', 'ours,theirs'], /there is no entrant 'theirs'; there are ours, ort-node/],
    [['--only', 'ours', '--backend', 'abacus'], /unknown backend 'abacus': webgpu or wasm or gpujs/],
    [['--only', 'ours', '--engine', 'nowhere/node'], /--engine nowhere\/node: spawnSync nowhere\/node ENOENT/],
    [['--only', 'ours', '--engine', 'echo'], /--engine echo: it is no Node\.js/],
    [['--runs', '0'], /'--runs <number>' argument '0' is invalid\. It must be a whole number from 1\./],
  ] as const) {
    const { status, stdout, stderr } = bench(...args);
    assert.is(status, 1);
    assert.is(stdout, '');
    assert.match(stderr, message);
  }
});

test.run();
