// Loading functions of gpu.js for the benchmark. It computes a result element by element, from JavaScript of its user's; values stay
// on the device in its pipeline mode.
import gpujs from 'gpu.js';
import type { Running } from '../../process/library.ts';
import type { HostArray } from '../../workloads/values.ts';
import { devicesIdle } from '../webgpu.ts';

type Rows = Float32Array | readonly Rows[];
/** A value on the device. */
export interface Resident {
  readonly toArray: () => Promise<Rows>;
  readonly delete: () => void;
}
export type Kernel = (...args: readonly unknown[]) => Promise<Resident>;
interface GpuJs {
  readonly GPU: new (settings: {
    readonly mode: string;
  }) => {
    readonly createKernel: (source: string, settings: object) => Kernel;
  };
  readonly input: (values: Float32Array, sizes: readonly number[]) => unknown;
}

// The package's types know neither `input` nor what kernels give in the WebGPU mode.
const { GPU, input } = gpujs as unknown as GpuJs;

const gpu = new GPU({ mode: 'webgpu' });

/** `source` is a function of gpu.js; `output` are the sizes of the result from the last axis to the first. */
export const kernel = (
  source: string,
  output: readonly number[],
  constants: Readonly<Record<string, number>> = {},
): Kernel =>
  gpu.createKernel(source, {
    output: [...output],
    constants: { ...constants },
    pipeline: true,
    precision: 'single',
    loopMaxIterations: 2 ** 31 - 1,
  });

/** Data seen with these sizes, from the last axis to the first. */
export const upload = (
  { data }: HostArray,
  sizes: readonly [number, number] | readonly [number, number, number],
): Promise<Resident> => {
  const at = sizes.length === 2 ? 'a[this.thread.y][this.thread.x]' : 'a[this.thread.z][this.thread.y][this.thread.x]';
  return kernel(`function (a) { return ${at}; }`, sizes)(input(data, sizes));
};

const flattened = (rows: Rows): Float32Array => {
  if (rows instanceof Float32Array) return rows;
  const parts = rows.map(flattened);
  const out = new Float32Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
};

/** Runs of kernels that end in the given one; `between` are results on the way. */
export const running = (
  call: () => Promise<{ readonly out: Resident; readonly between: readonly Resident[] }>,
): Running => {
  const free = ({ out, between }: Awaited<ReturnType<typeof call>>): void => {
    for (const r of [...between, out]) r.delete();
  };
  let last: Awaited<ReturnType<typeof call>> | null = null;
  return {
    launch: async () => {
      if (last) free(last);
      last = await call();
    },
    wait: devicesIdle,
    result: async () => {
      const made = await call();
      const values = flattened(await made.out.toArray());
      free(made);
      return values;
    },
  };
};
