// Runs graphs on the WebGPU device and holds them against the interpreter; where there is no device, says so and is null.
import type { Test } from 'uvu';
import type { CompileOptions } from '../../src/compiler/compile.ts';
import type { Caps } from '../../src/compiler/ir/caps.ts';
import type { Tuning } from '../../src/compiler/select/tuning.ts';
import type { HostArray } from '../../src/dsl/core/dtype.ts';
import { isKind, topological } from '../../src/dsl/core/node.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import type { KernelTemplate, Schedule } from '../../src/kernels/template.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { runGraph } from '../../src/runtime/evaluate.ts';
import type { HostTensor } from '../../src/runtime/tensor.ts';
import { gpuJs, wasm, webGpu } from '../support/backends.ts';
import { bitsOf, compiled, runs } from '../support/compiled.ts';
import { values } from '../support/draw.ts';
import { interpret } from '../support/interpret.ts';

/** The device's backend, or null, after a counted skip, where the machine has none. */
export const device: Backend | null = await webGpu();

/** The device, where there is one, and the processor. */
const devices: readonly Backend[] = [...(device ? [device] : []), await wasm()];

/** Registers a test on each of them. */
export const onDevices = (suite: Test, name: string, body: (device: Backend) => Promise<void>): void => {
  for (const one of devices) suite(`${name} (${one.name})`, () => body(one));
};

/** The device, taken for another one: what the compiler is told of it decides which schedules its heuristics choose. */
export const disguised = (backend: Backend, as: Partial<Caps>): Backend => ({
  ...backend,
  caps: { ...backend.caps, ...as, fingerprint: `${backend.caps.fingerprint} ${JSON.stringify(as)}` },
});

export type Data = Readonly<Record<string, HostArray>>;

/** Values in (-1, 1) for every float input of `roots` that `given` lacks. */
export const drawn = (roots: readonly Node[], given: Data = {}, seed = 1): Data => {
  const all: Record<string, HostArray> = { ...given };
  topological(roots).forEach((n, i) => {
    if (isKind(n, 'input') && !(n.op.slot in all))
      all[n.op.slot] = Float32Array.from(
        values(
          n.shape.reduce((a, b) => a * b, 1),
          seed + i,
        ),
      );
  });
  return all;
};

/** Largest error of each result, relative to 1 + its largest value. */
const worst = (got: HostTensor, want: Float64Array): number => {
  if (got.data.length !== want.length) throw new Error(`${got.data.length} values against ${want.length}`);
  let error = 0;
  let size = 1;
  for (let i = 0; i < want.length; i++) {
    const off = Math.abs(got.data[i]! - want[i]!);
    error = Math.max(error, Number.isNaN(off) ? Number.POSITIVE_INFINITY : off);
    size = Math.max(size, Math.abs(want[i]!));
  }
  return error / size;
};

/** The first template that takes a call, with the schedule that `choose` gives it. */
const scheduled = (choose: NonNullable<Checked['schedule']>): Tuning => ({
  digest: 'chosen by a test',
  find: (call, [taker]) => {
    const schedule = taker && choose(taker, call);
    return schedule && { template: taker.name, schedule };
  },
});

export interface Checked {
  readonly tolerance?: number;
  readonly schedule?: (t: KernelTemplate, call: Node) => Schedule | undefined;
  /** Whether gpu.js must agree too (default): off where it would run for long, for it compares what templates need not. */
  readonly gpujs?: boolean;
}

/** Runs `roots` twice on the device and once by gpu.js: equal bits on the device, and all within `tolerance` of the interpreter. */
export const check = async (
  backend: Backend,
  roots: readonly Node[],
  data: Data,
  { tolerance = 2e-6, schedule, gpujs = schedule === undefined }: Checked = {},
): Promise<void> => {
  const options: CompileOptions = schedule ? { tuning: scheduled(schedule) } : {};
  const [got, again] = await runs(backend, compiled(roots, backend.caps, options), data, 2);
  const oracle = gpujs ? await runGraph(gpuJs(), roots, data) : [];
  const want = interpret(roots, new Map(Object.entries(data)));
  const near = (what: string, t: HostTensor, i: number): void => {
    const error = worst(t, want[i]!);
    if (!(error <= tolerance))
      throw new Error(`${what}, result ${i} [${t.shape}]: off by ${error.toExponential(2)}, allowed ${tolerance}`);
  };
  got!.forEach((g, i) => {
    if (bitsOf([g]) !== bitsOf([again![i]!])) throw new Error(`result ${i}: two runs differ`);
    near(backend.name, g, i);
  });
  oracle.forEach((o, i) => {
    near('gpujs', o, i);
  });
};
