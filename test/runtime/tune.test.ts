// The tuner: what it measures, what it drops, what it keeps, and that exact schedules keep the bits.
import { readFile, writeFile } from 'node:fs/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digestOf } from '../../src/compiler/compile.ts';
import { callClass } from '../../src/compiler/select/call-class.ts';
import { candidatesFor, isCurrent } from '../../src/compiler/select/candidates.ts';
import { emptyTable, type TuningEntry, tuningOf, versionsOf } from '../../src/compiler/select/tuning.ts';
import * as B from '../../src/dsl/core/build.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import { softmax } from '../../src/dsl/fused/index.ts';
import { conv2d } from '../../src/dsl/ops/conv.ts';
import { nearestCode } from '../../src/dsl/ops/fused.ts';
import { unwrap } from '../../src/dsl/tensor.ts';
import { contractDirect } from '../../src/kernels/contract/direct.ts';
import { contractSubgroup } from '../../src/kernels/contract/subgroup.ts';
import { contractTiled } from '../../src/kernels/contract/tiled.ts';
import type { KernelTemplate } from '../../src/kernels/template.ts';
import { runGraph } from '../../src/runtime/evaluate.ts';
import { callsOf } from '../../src/runtime/tune/calls.ts';
import { tuneElementwise } from '../../src/runtime/tune/elementwise.ts';
import { isolate } from '../../src/runtime/tune/isolate.ts';
import { makeOperands, readValues } from '../../src/runtime/tune/operands.ts';
import { inPieces } from '../../src/runtime/tune/pieces.ts';
import { readTable, tableFile, writeTable } from '../../src/runtime/tune/store.ts';
import { checkCall, tuneCall } from '../../src/runtime/tune/tune.ts';
import { forEachDevice } from '../support/backends.ts';
import { hardwareCaps } from '../support/caps.ts';
import { f32 } from '../support/family.ts';
import { inFolder } from '../support/files.ts';

const test = suite('tuner');

const [a, b] = [B.input('a', [40, 24], 'f32'), B.input('b', [20, 24], 'f32')];
const product = (): Node => B.einsum('mk,kn->mn', a, B.permute(B.sin(b), [1, 0]));
const endless = { flops: 1e18, bytes: 1e18 };
const options = { roofline: endless, onDrop: () => {}, stopped: () => false };

test('a call alone keeps the views of its operands, and stores what was computed before them', () => {
  const { inputs, call } = isolate(product());
  assert.equal(
    inputs.map((n) => n.shape),
    [
      [40, 24],
      [20, 24],
    ],
  );
  assert.is(call.src[1]!.op.kind, 'view');
  assert.is(call.src[1]!.src[0], inputs[1]);
  assert.is.not(callClass(product()), callClass(B.einsum('mk,kn->mn', a, B.input('c', [24, 20], 'f32'))));
});

forEachDevice(test, 'candidates are measured, and the exact one has the bits of the heuristic', async (backend) => {
  const entry = await tuneCall(backend, product(), options);
  assert.ok(entry);
  // Among those that are within 3 % of the fastest, the one that compiles soonest is kept.
  assert.ok(entry.fast.ms <= 1.03 * entry.exact.ms && entry.exact.ms <= 1.03 * entry.heuristic.ms);
  const table = { ...emptyTable(backend.caps), entries: { [callClass(product())]: entry } };
  const values = {
    a: Float32Array.from({ length: 960 }, (_, i) => Math.cos(i)),
    b: Float32Array.from({ length: 480 }, (_, i) => Math.cos(i * 3)),
  };
  const [plain] = await runGraph(backend, [product()], values);
  const [tuned] = await runGraph(backend, [product()], values, { tuning: tuningOf(table, false) });
  assert.equal(new Uint32Array(tuned!.data.buffer), new Uint32Array(plain!.data.buffer));
});

/** A template that is another one, but for what it stores. */
const spoilt = (t: KernelTemplate, name: string): KernelTemplate => ({
  ...t,
  name,
  emit: (call, schedule, block, caps) =>
    t.emit(
      call,
      schedule,
      {
        ...block,
        store: (r, at, value) =>
          block.store(
            r,
            at.map((x, i) => (i === 0 ? x : at[0]!)),
            value,
          ),
      },
      caps,
    ),
});

forEachDevice(test, 'a candidate with wrong values is dropped, loudly, however fast it is', async (backend) => {
  const wrong = spoilt(contractDirect, 'contract-wrong');
  const heard: string[] = [];
  const square = B.einsum('mk,kn->mn', B.input('a', [32, 32], 'f32'), B.input('b', [32, 32], 'f32'));
  const entry = await tuneCall(backend, square, {
    ...options,
    templates: [contractDirect, wrong],
    onDrop: ({ template }, why) => heard.push(`${template}: ${why}`),
  });
  assert.ok(entry);
  assert.is(entry.exact.template, 'contract-direct');
  assert.is(entry.fast.template, 'contract-direct');
  // A busy machine also drops what takes long to compile, right or wrong.
  const spoiltOnes = entry.dropped.filter((d) => d.template === 'contract-wrong');
  assert.is(spoiltOnes.length, wrong.space(square, backend.caps).length);
  const judged = entry.dropped.filter((d) => !d.why.endsWith(' s to compile'));
  assert.ok(judged.length > 0);
  assert.ok(judged.every((d) => d.template === 'contract-wrong' && d.why.startsWith('wrong: result 0 at')));
  assert.is(heard.length, entry.dropped.length);
});

forEachDevice(test, 'schedules that add up in another order are for --fast alone', async (backend) => {
  const rows = softmax(B.input('x', [64, 96], 'f32'));
  const call = rows.op.kind === 'pick' ? rows.src[0]! : rows;
  const entry = await tuneCall(backend, call, options);
  assert.ok(entry);
  const { width, vector, shuffle } = entry.heuristic.schedule;
  assert.equal(
    { width: entry.exact.schedule.width, vector: entry.exact.schedule.vector, shuffle: entry.exact.schedule.shuffle },
    { width, vector, shuffle },
  );
});

forEachDevice(test, 'references of calls too large for generic kernels are made in pieces', async (backend) => {
  const calls = [
    B.einsum('bmk,bkn->bmn', unwrap(f32([2, 7, 5])), unwrap(f32([2, 5, 3], 1))),
    B.einsum('mk,nk->nm', unwrap(f32([7, 5])), unwrap(f32([9, 5], 1))),
    unwrap(conv2d(f32([2, 3, 6, 5]), f32([7, 3, 3, 3], 1), { padding: 1 })),
    unwrap(nearestCode(f32([11, 4]), f32([13, 4], 1))),
  ];
  for (const whole of calls) {
    const call = whole.op.kind === 'pick' ? whole.src[0]! : whole;
    const [pieces] = inPieces(call, [whole], 40);
    assert.is(pieces!.op.kind, 'concat');
    const [want] = await runGraph(backend, [whole]);
    const [got] = await runGraph(backend, [pieces!]);
    assert.equal(got!.shape, want!.shape);
    want!.data.forEach((v, i) => {
      assert.ok(Math.abs(got!.data[i]! - v) < 1e-5);
    });
    assert.equal(inPieces(call, [whole]), [whole]);
  }
});

forEachDevice(test, 'sums over runs of sorted updates are measured on runs that are sorted', async (backend) => {
  const [base, at, updates] = [
    B.input('x', [90, 32], 'f32'),
    B.input('at', [200], 'i32'),
    B.input('u', [200, 32], 'f32'),
  ];
  for (const how of ['add', 'set'] as const) {
    const outputs = [B.scatter(base, at, updates, how, 0)];
    const calls = callsOf(backend.caps, [
      { inputs: [base, at, updates].map((node) => ({ node, donated: false })), outputs },
    ]);
    const found = calls.find(({ call }) => call.op.kind === 'fused');
    const entry = await tuneCall(backend, found!.call, options);
    assert.ok(entry);
    assert.is(entry.timed.length, candidatesFor(found!.call, backend.caps)!.list.length);
    assert.ok(entry.timed.length > 2);
    assert.equal(entry.dropped, []);
  }
});

forEachDevice(test, 'sorts and running sums are measured too', async (backend) => {
  const x = B.input('x', [9, 200], 'f32');
  const outputs = [B.argsort(x), B.cumulate(x, 1)];
  const calls = callsOf(backend.caps, [{ inputs: [{ node: x, donated: false }], outputs }]);
  assert.equal(calls.map((c) => c.call.op.kind).sort(), ['cumulate', 'sort']);
  for (const { call } of calls) {
    const entry = await tuneCall(backend, call, options);
    assert.ok(entry);
    assert.is(entry.timed.length, candidatesFor(call, backend.caps)!.list.length);
    assert.equal(entry.dropped, []);
  }
});

forEachDevice(
  test,
  'elementwise kernels are measured by their size, and a tuned one keeps the bits',
  async (backend) => {
    const dropped: string[] = [];
    const heard = { onDrop: (_: unknown, why: string) => void dropped.push(why), stopped: () => false };
    const entry = await tuneElementwise(backend, 10, heard);
    assert.ok(entry && entry.timed.length > 5);
    assert.equal(dropped, []);
    assert.ok(entry.best.ms <= entry.heuristic.ms);
    assert.is(await tuneElementwise(backend, 10, { ...heard, stopped: () => true }), null);
    const odd = { ...entry, best: { workgroup: 32, elements: 8, ms: 1 } };
    const tuning = tuningOf({ ...emptyTable(backend.caps), elementwise: { 10: odd } }, false);
    assert.equal(tuning.elementwise?.(1300), { workgroup: 32, elements: 8 });
    assert.is(tuning.elementwise?.(1 << 20), undefined);
    assert.is.not(tuning.digest, tuningOf(emptyTable(backend.caps), false).digest);
    const graph = [B.mul(B.add(unwrap(f32([1301])), unwrap(f32([1301], 1))), unwrap(f32([1301], 2)))];
    const [plain] = await runGraph(backend, graph);
    const [tuned] = await runGraph(backend, graph, {}, { tuning });
    assert.equal(tuned!.data, plain!.data);
  },
);

forEachDevice(test, 'a stopped call leaves no entry; the heuristic is right', async (backend) => {
  assert.is(await tuneCall(backend, product(), { ...options, stopped: () => true }), null);
  assert.type(await checkCall(backend, product()), 'number');
});

forEachDevice(test, 'operands are those of a seed', async (backend) => {
  const { inputs, call } = isolate(product());
  const valuesOf = async (seed?: number) => {
    const made = await makeOperands(backend, call, inputs, 'fractions', seed);
    return Promise.all(made.map((buffer) => readValues(backend, buffer)));
  };
  const [plain, same, other, again] = [await valuesOf(), await valuesOf(0), await valuesOf(7), await valuesOf(7)];
  assert.equal([same, again], [plain, other]);
  assert.not.equal(other, plain);
  assert.type(await checkCall(backend, product(), 7), 'number');
});

test('calls of graphs are counted by class, those with most work first', () => {
  const c = B.input('c', [40, 24], 'f32');
  const small = (x: Node): Node => B.einsum('mk,nk->mn', x, b);
  const big = B.einsum('mk,kn->mn', B.input('d', [64, 64], 'f32'), B.input('e', [64, 64], 'f32'));
  const calls = callsOf(
    hardwareCaps,
    [{ inputs: [], outputs: [small(a), small(c), big] }].map((g) => ({
      inputs: [a, b, c, big.src[0]!, big.src[1]!].map((node) => ({ node, donated: false })),
      outputs: g.outputs,
    })),
  );
  assert.equal(
    calls.map((x) => x.count),
    [1, 2],
  );
  assert.is(calls[0]!.key, callClass(big));
});

const entryOf = (templates: string): TuningEntry => {
  const choice = { template: 'contract-tiled', schedule: { rows: 16, columns: 64 }, ms: 1 };
  return {
    templates,
    heuristic: choice,
    exact: choice,
    fast: { ...choice, schedule: { rows: 64, columns: 64 } },
    timed: [choice],
    dropped: [],
  };
};

test('an entry counts while the templates are those that it was measured with', () => {
  const takers = [contractSubgroup, contractTiled];
  const table = (templates: string) => ({
    ...emptyTable(hardwareCaps),
    entries: { [callClass(product())]: entryOf(templates) },
  });
  const now = table(versionsOf(takers));
  assert.equal(tuningOf(now, false).find(product(), takers)?.schedule, { rows: 16, columns: 64 });
  assert.equal(tuningOf(now, true).find(product(), takers)?.schedule, { rows: 64, columns: 64 });
  assert.is(tuningOf(table('contract-subgroup@0'), false).find(product(), takers), undefined);
  const { versions } = candidatesFor(product(), hardwareCaps)!;
  assert.ok(isCurrent(entryOf(versions), product(), hardwareCaps));
  assert.not.ok(isCurrent(entryOf(`${versions}1`), product(), hardwareCaps));
  assert.not.ok(isCurrent(undefined, product(), hardwareCaps));
  assert.is.not(tuningOf(now, true).digest, tuningOf(now, false).digest);
});

test('a tuned program has a digest of its own', () => {
  const c = { inputs: [a, b].map((node) => ({ node, donated: false })), outputs: [product()] };
  const tuning = tuningOf({ ...emptyTable(hardwareCaps), entries: {} }, true);
  assert.is.not(digestOf(c, hardwareCaps, { tuning }), digestOf(c, hardwareCaps, {}));
});

test('tables are kept by adapter; a damaged one is said and ignored', async () => {
  const before = process.env.DUALTOKEN_CACHE;
  await inFolder(async (folder) => {
    process.env.DUALTOKEN_CACHE = folder;
    const said: string[] = [];
    const warn = (m: string) => void said.push(m);
    assert.equal(await readTable(hardwareCaps, warn), emptyTable(hardwareCaps));
    const table = { ...emptyTable(hardwareCaps), entries: { 'a call': entryOf('x@1') } };
    await writeTable(hardwareCaps, table);
    assert.equal(await readTable(hardwareCaps, warn), table);
    assert.equal(said, []);
    const file = tableFile(hardwareCaps)!;
    await writeFile(file, (await readFile(file, 'utf8')).slice(0, -20));
    assert.equal(await readTable(hardwareCaps, warn), emptyTable(hardwareCaps));
    assert.is(said.length, 1);
    assert.match(said[0]!, file);
    process.env.DUALTOKEN_CACHE = 'off';
    assert.is(tableFile(hardwareCaps), null);
  }).finally(() => {
    if (before === undefined) delete process.env.DUALTOKEN_CACHE;
    else process.env.DUALTOKEN_CACHE = before;
  });
});

test.run();
