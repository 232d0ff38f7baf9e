// A kept table in use: without `fast` runs keep the bits of untuned ones, with it the fastest schedule is taken whatever its order.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { callClass } from '../../src/compiler/call-class.ts';
import { candidatesFor } from '../../src/compiler/candidates.ts';
import { emptyTable, type MeasuredChoice } from '../../src/compiler/tuning.ts';
import { isKind, topological } from '../../src/dsl/core/node.ts';
import { softmax } from '../../src/dsl/ops/fused.ts';
import { param } from '../../src/dsl/ops/inputs.ts';
import { type Tensor, unwrap } from '../../src/dsl/tensor.ts';
import { openRuntime } from '../../src/runtime/runtime.ts';
import { HostTensor } from '../../src/runtime/tensor.ts';
import { writeTable } from '../../src/runtime/tune/store.ts';
import { webGpu } from '../support/backends.ts';
import { inFolder } from '../support/files.ts';

const test = suite('tuned runs');

const [ROWS, COLUMNS] = [64, 96];
const bits = (values: Float32Array): readonly number[] => [...new Uint32Array(values.buffer)];
const rows = (x: Tensor<readonly [number, number]>) => softmax(x);

test('a run keeps its bits whatever was tuned; --fast takes schedules that add up in another order', async () => {
  const gpu = await webGpu();
  if (!gpu) return;
  const call = topological([unwrap(softmax(param('x', [ROWS, COLUMNS])))]).find((n) => isKind(n, 'fused'))!;
  const { list, versions } = candidatesFor(call, gpu.caps)!;
  const [heuristic, ...others] = list.map((c) => ({ ...c, ms: 1 }));
  const exact = others.find((c) => c.order === heuristic!.order)!;
  const fast = others.find((c) => c.order !== heuristic!.order)!;
  const measured = ({ template, schedule, ms }: MeasuredChoice): MeasuredChoice => ({ template, schedule, ms });
  const entry = {
    templates: versions,
    heuristic: measured(heuristic!),
    exact: measured(exact),
    fast: measured(fast),
    timed: [],
    dropped: [],
  };
  const x = new HostTensor(
    Float32Array.from({ length: ROWS * COLUMNS }, (_, i) => Math.sin(i) * 4),
    [ROWS, COLUMNS],
    'f32',
  );
  const ran = async (options: { readonly fast: boolean }) => {
    const runtime = await openRuntime({ backend: 'webgpu', ...options });
    const f = runtime.compile(rows);
    const [step] = (await f.program(x)).steps;
    const [first, second] = [await (await f(x)).read(), await (await f(x)).read()].map(bits);
    runtime.close();
    assert.equal(first, second);
    return { schedule: step!.origin.schedule, bits: first };
  };
  const before = process.env.DUALTOKEN_CACHE;
  await inFolder(async (folder) => {
    process.env.DUALTOKEN_CACHE = folder;
    const untuned = await ran({ fast: false });
    await writeTable(gpu.caps, { ...emptyTable(gpu.caps), entries: { [callClass(call)]: entry } });
    const tuned = await ran({ fast: false });
    const reassociated = await ran({ fast: true });
    assert.match(untuned.schedule, JSON.stringify(heuristic!.schedule));
    assert.match(tuned.schedule, JSON.stringify(exact.schedule));
    assert.match(reassociated.schedule, JSON.stringify(fast.schedule));
    assert.equal(tuned.bits, untuned.bits);
  }).finally(() => {
    if (before === undefined) delete process.env.DUALTOKEN_CACHE;
    else process.env.DUALTOKEN_CACHE = before;
  });
});

test.run();
