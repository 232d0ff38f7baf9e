// A backend that runs nothing: programs compile for it, its tensors have sizes and no values. For cost reports and tests.

import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Caps } from '../compiler/ir/caps.ts';
import { bufferBytes, memoryOf, type Program } from '../compiler/program.ts';
import { bytesOf, type DType, type HostArray } from '../dsl/core/dtype.ts';
import { attempt, badInput } from './attempt.ts';
import type { Backend, DeviceBuffer, Executable } from './backend.ts';
import type { RunError } from './error.ts';
import { checkUpload, elementsOf } from './host.ts';
import { checkInputs } from './inputs.ts';
import { Ledger } from './ledger.ts';
import { scalarValues } from './scalars.ts';

/** A desktop graphics card of the usual kind. */
export const hardwareCaps: Caps = {
  target: 'wgsl',
  templates: true,
  f16: true,
  subgroups: { min: 32, max: 32 },
  subgroupMatrices: [],
  timestamps: true,
  software: false,
  unrolls: false,
  limits: {
    binding: 2 ** 31 - 4,
    buffer: 2 ** 32 - 4,
    storageBuffers: 16,
    workgroupBytes: 32768,
    invocations: 1024,
    groupsPerDimension: 65535,
    immediateBytes: 64,
  },
  vendor: '',
  name: 'a graphics card that is not there',
  fingerprint: 'null-hardware',
};

class NullBuffer implements DeviceBuffer {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly ledger: Ledger;
  readonly #held: number;
  freed = false;

  constructor(ledger: Ledger, shape: readonly number[], dtype: DType) {
    this.shape = shape;
    this.dtype = dtype;
    this.ledger = ledger;
    this.#held = bufferBytes(elementsOf(shape), bytesOf[dtype]);
    ledger.take(this.#held);
    ledger.watch(this, this.#held);
  }

  readonly read: TaskEither<RunError, HostArray> = TE.left({
    _tag: 'BadInput',
    message: "the backend 'null' runs nothing, so its tensors have no values: use 'wasm', 'webgpu' or 'gpujs'",
  });

  readonly free = (): void => {
    if (this.freed) return;
    this.freed = true;
    this.ledger.forget(this);
    this.ledger.release(this.#held);
  };
}

const executableOf = (program: Program, ledger: Ledger, onRun: () => void): Executable => {
  const { temp } = memoryOf(program);
  let held = 0;
  let disposed = false;
  return {
    run: (inputs, scalars, options = {}) =>
      attempt(async () => {
        if (disposed) throw badInput('run: the executable was disposed');
        scalarValues(program, scalars, new Float64Array(program.scalars.length));
        const given = checkInputs(
          program,
          inputs,
          (b): b is NullBuffer => b instanceof NullBuffer && b.ledger === ledger,
        );
        if (held === 0 && temp > 0) {
          held = temp;
          ledger.take(temp);
        }
        program.inputs.forEach(({ donated }, i) => {
          if (donated) given[i]?.free();
        });
        onRun();
        options.profile?.([]);
        return program.outputs.map(({ shape, dtype }) => new NullBuffer(ledger, shape, dtype));
      }),
    dispose: () => {
      if (!disposed && held > 0) ledger.release(held);
      disposed = true;
    },
  };
};

/** Compiles for `caps` and checks calls as a device would; nothing is computed. */
export const openNull = (caps: Caps = hardwareCaps): Backend => {
  const ledger = new Ledger();
  const kernels = new Set<string>();
  let runs = 0;
  return {
    name: 'null',
    caps,
    upload: (data, shape, dtype) =>
      attempt(async () => {
        checkUpload(data, shape, dtype);
        return new NullBuffer(ledger, shape, dtype);
      }),
    load: (program) =>
      attempt(async () => {
        if (program.target !== caps.target)
          throw badInput(`load: a program for target '${program.target}', where the capabilities say '${caps.target}'`);
        for (const k of program.kernels) kernels.add(k.text);
        return executableOf(program, ledger, () => {
          runs++;
        });
      }),
    idle: TE.right(undefined),
    stats: () => ({
      liveBytes: ledger.liveBytes,
      peakBytes: ledger.peakBytes,
      buffers: ledger.buffers,
      kernelsCompiled: kernels.size,
      runs,
    }),
    dispose: () => {},
  };
};
