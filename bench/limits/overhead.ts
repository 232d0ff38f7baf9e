// What a run costs the processor beside the work: a program of many dispatches of one element each.
import { add, openRuntime, type Shape, type Tensor } from '../../src/index.ts';
import { median } from '../../src/runtime/tune/median.ts';
import type { Limit } from './limit.ts';

const DISPATCHES = 300;
const MOST_MICROSECONDS = 12;
const RUNS = 200;
/** Objects that live on would show over as many runs as these. */
const HEAP_RUNS = 2000;
const MOST_HEAP_BYTES = 64 * 1024;

const collect = (): number => {
  if (!globalThis.gc) throw new Error('run with --expose-gc');
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().heapUsed;
};

export const overhead = async (): Promise<readonly Limit[]> => {
  // One kernel a node: additions that fusion would make one.
  const runtime = await openRuntime({ backend: 'webgpu', compile: { fuse: false } });
  try {
    const x = await runtime.upload(Float32Array.of(1), [1]);
    const chain = runtime.compile((v: Tensor<Shape>) => {
      let y = v;
      for (let i = 0; i < DISPATCHES; i++) y = add(y, v);
      return y;
    });
    const { steps } = await chain.program(x);
    const once = async (): Promise<number> => {
      const from = performance.now();
      const y = await chain(x);
      const taken = performance.now() - from;
      // The device's own work is waited for outside the time.
      await runtime.idle();
      y.free();
      return taken;
    };
    for (let i = 0; i < 20; i++) await once();
    const times: number[] = [];
    for (let i = 0; i < RUNS; i++) times.push(await once());
    const each = (median(times) * 1000) / steps.length;
    const before = collect();
    for (let i = 0; i < HEAP_RUNS; i++) await once();
    const grown = collect() - before;
    return [
      {
        name: 'a run, for each dispatch',
        measured: `${each.toFixed(1)} µs`,
        wanted: `at most ${MOST_MICROSECONDS} µs`,
        kept: each <= MOST_MICROSECONDS,
        details: `${steps.length} dispatches of one element: from the call until the work is submitted ${median(times).toFixed(2)} ms, the median of ${RUNS} runs`,
      },
      {
        name: 'objects left by runs',
        measured: `${(grown / HEAP_RUNS).toFixed(1)} bytes a run`,
        wanted: 'no growth',
        kept: grown <= MOST_HEAP_BYTES,
        details: `JavaScript heap after ${HEAP_RUNS} runs and a full collection, against before: ${(grown / 1024).toFixed(1)} KiB`,
      },
    ];
  } finally {
    runtime.close();
  }
};
