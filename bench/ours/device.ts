// Loading functions of the language for the benchmark: inputs uploaded once, results freed after each run.
import { type DeviceTensor, explain, type Program, type Runtime, summaryOf } from '../../src/index.ts';
import type { Running } from '../process/library.ts';
import type { HostArray } from '../workloads/values.ts';

export const upload = (runtime: Runtime, { data, shape }: HostArray): Promise<DeviceTensor> =>
  runtime.upload(data, shape);

/** A compiled function with its arguments bound. */
export interface Bound {
  readonly run: () => Promise<DeviceTensor>;
  readonly program: () => Promise<Program>;
}

/** What can be said of a program without a run of it. */
export const described = (program: () => Promise<Program>) => ({
  explain: async (): Promise<string> => explain(await program()),
  dispatches: async (): Promise<number> => summaryOf(await program()).dispatches,
});

/** Runs that leave nothing behind. */
export const running = (runtime: Runtime, { run, program }: Bound): Running => ({
  launch: async () => (await run()).free(),
  wait: runtime.idle,
  result: async () => {
    const out = await run();
    const values = await out.read();
    out.free();
    return values;
  },
  ...described(program),
});
