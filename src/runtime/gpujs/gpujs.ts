// The gpu.js backend in cpu mode: doubles between loads and stores. The oracle of tests, and the fallback without an adapter.
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Caps } from '../../compiler/ir/caps.ts';
import { attempt, badInput } from '../attempt.ts';
import type { Backend } from '../backend.ts';
import { Ledger } from '../ledger.ts';
import { Kernels } from './kernels.ts';
import { uploadToHost } from './memory.ts';
import { HostExecutable } from './run.ts';

export const gpujsCaps: Caps = {
  target: 'js',
  templates: false,
  f16: true,
  subgroups: null,
  subgroupMatrices: [],
  timestamps: true,
  software: true,
  unrolls: false,
  limits: {
    binding: 2 ** 32,
    buffer: 2 ** 32,
    storageBuffers: 1024,
    workgroupBytes: 0,
    invocations: 256,
    groupsPerDimension: 2 ** 31 - 1,
    immediateBytes: 4096,
  },
  vendor: '',
  name: 'gpu.js on the processor',
  fingerprint: 'gpujs-cpu',
};

export const openGpuJs = (): Backend => {
  const kernels = new Kernels();
  const ledger = new Ledger();
  let runs = 0;
  return {
    name: 'gpujs',
    caps: gpujsCaps,
    upload: (data, shape, dtype) => attempt(async () => uploadToHost(ledger, data, shape, dtype)),
    load: (program) =>
      attempt(async () => {
        if (program.target !== 'js')
          throw badInput(`load: a program for target '${program.target}' on the gpujs backend`);
        return new HostExecutable(program, kernels, ledger, () => {
          runs++;
        });
      }),
    idle: TE.right(undefined),
    stats: () => ({
      liveBytes: ledger.liveBytes,
      peakBytes: ledger.peakBytes,
      buffers: ledger.buffers,
      kernelsCompiled: kernels.compiled,
      runs,
    }),
    dispose: () => {},
  };
};
