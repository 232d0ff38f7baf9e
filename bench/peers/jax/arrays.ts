// Loading functions of jax-js for the benchmark. It counts references: what a call takes over is passed as `.ref`.
import { blockUntilReady, type Array as JaxArray, numpy as np } from '@jax-js/jax';
import type { Running } from '../../process/library.ts';
import type { HostArray } from '../../workloads/values.ts';

export type { JaxArray };

export const upload = ({ shape, data }: HostArray): JaxArray => np.array(data, { shape: [...shape] });

/** Values of a result, in the order of the workload. */
export type Reorder = (values: HostArray) => HostArray;

/** Runs of a call, which gives arguments that it needs again as references. */
export const running = (call: () => JaxArray, reorder: Reorder = (x) => x): Running => {
  let last: JaxArray | null = null;
  return {
    launch: async () => {
      last?.dispose();
      last = call();
    },
    wait: async () => {
      await blockUntilReady(last);
    },
    result: async () => {
      // Node has no array for f16 before version 24.
      const y = call().astype(np.float32);
      const shape = [...y.shape];
      return reorder({ shape, data: new Float32Array(await y.data()) }).data;
    },
  };
};
