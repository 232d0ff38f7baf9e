// A kept table in use: without `fast` runs keep the bits of untuned ones, with it the fastest schedule is taken whatever its order.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { callClass } from '../../src/compiler/select/call-class.ts';
import { candidatesFor } from '../../src/compiler/select/candidates.ts';
import { emptyTable, type MeasuredChoice } from '../../src/compiler/select/tuning.ts';
import { einsum } from '../../src/dsl/ops/contract.ts';
import { param } from '../../src/dsl/ops/inputs.ts';
import type { Rank2 } from '../../src/dsl/shape.ts';
import { anySize, type Tensor, unwrap } from '../../src/dsl/tensor.ts';
import { openRuntime } from '../../src/runtime/runtime.ts';
import { HostTensor } from '../../src/runtime/tensor.ts';
import { writeTable } from '../../src/runtime/tune/store.ts';
import { forEachDevice } from '../support/backends.ts';
import { inFolder } from '../support/files.ts';

const test = suite('tuned runs');

type Rows = Tensor<Rank2>;

const [OUTPUTS, INPUTS] = [200, 300];
const bits = (values: Float32Array): readonly number[] => [...new Uint32Array(values.buffer)];
const product = (x: Rows, w: Rows): Rows => einsum('mk,nk->mn', x, w);
const values = (rows: number, columns: number): HostTensor =>
  new HostTensor(
    Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i) * 4),
    [rows, columns],
    'f32',
  );

forEachDevice(
  test,
  'a run keeps its bits whatever was tuned; --fast takes schedules that add up in another order',
  async (backend) => {
    const call = unwrap(product(anySize(param('x', [1, INPUTS])), anySize(param('w', [OUTPUTS, INPUTS]))));
    const { list, versions } = candidatesFor(call, backend.caps)!;
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
    const [x, w] = [values(1, INPUTS), values(OUTPUTS, INPUTS)];
    const ran = async (options: { readonly fast: boolean }) => {
      const runtime = await openRuntime({ backend: backend.name, ...options });
      const f = runtime.compile(product);
      const [step] = (await f.program(x, w)).steps;
      const [first, second] = [await (await f(x, w)).read(), await (await f(x, w)).read()].map(bits);
      runtime.close();
      assert.equal(first, second);
      return { schedule: step!.origin.schedule, bits: first };
    };
    const before = process.env.DUALTOKEN_CACHE;
    await inFolder(async (folder) => {
      process.env.DUALTOKEN_CACHE = folder;
      const untuned = await ran({ fast: false });
      await writeTable(backend.caps, { ...emptyTable(backend.caps), entries: { [callClass(call)]: entry } });
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
  },
);

test.run();
