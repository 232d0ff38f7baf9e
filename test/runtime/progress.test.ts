// Runs that are watched: they tell how far they are, and give what unwatched ones give.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { noCache } from '../../src/compiler/cache/cache.ts';
import { matmul } from '../../src/dsl/ops/contract.ts';
import type { Rank2 } from '../../src/dsl/shape.ts';
import type { Tensor } from '../../src/dsl/tensor.ts';
import { sharesOf } from '../../src/runtime/progress.ts';
import { openRuntime } from '../../src/runtime/runtime.ts';
import { HostTensor } from '../../src/runtime/tensor.ts';
import { forEachDevice } from '../support/backends.ts';

const test = suite('progress');

/** x w^times: products of a side. */
const products = (times: number) => (x: Tensor<Rank2>, w: Tensor<Rank2>) =>
  Array.from({ length: times }).reduce((y: Tensor<Rank2>) => matmul(y, w), x);
/** A square matrix whose powers stay small. */
const square = (side: number) =>
  new HostTensor(
    Float32Array.from({ length: side * side }, (_, i) => Math.sin(i) / side),
    [side, side],
    'f32',
  );

forEachDevice(test, 'a long run is heard of, a short one is not', async ({ name: backend }) => {
  const heard: number[] = [];
  const watched = await openRuntime({ backend, cache: noCache, onProgress: (_, share) => heard.push(share) });
  const alone = await openRuntime({ backend, cache: noCache });
  try {
    const x = square(1024);
    const [long, short] = [watched.compile(products(14)), watched.compile(products(2))];
    await (await short(square(64), square(64))).read();
    assert.equal(heard, []);
    const made = await (await long(x, x)).read();
    assert.ok(heard.length > 0);
    assert.ok(
      heard.every((share, i) => share >= (heard[i - 1] ?? 0) && share <= 1),
      heard.join(),
    );
    assert.equal(made, await (await alone.compile(products(14))(x, x)).read());
  } finally {
    watched.close();
    alone.close();
  }
});

test('the shares of a program end at 1; one too short has none', () => {
  const step = (flops: number) => ({ kind: 'copy', from: 0, to: 1, bytes: 0, origin: originOf(flops) }) as const;
  const originOf = (flops: number) => ({
    label: '',
    why: '',
    site: '',
    path: '',
    schedule: '',
    flops,
    bytes: 0,
  });
  assert.equal(sharesOf({ steps: [step(3e10), step(0), step(1e10)] }), Float64Array.of(0.75, 0.75, 1));
  assert.is(sharesOf({ steps: [step(1e9)] }), null);
});

test.run();
