// Kernels of gpu.js in its cpu mode. The only importer of `gpu.js`.
import gpujs from 'gpu.js';
import { makeConstants, natives, prelude } from '../../compiler/js/natives.ts';
import type { Kernel } from '../../compiler/program.ts';
import { messageOf } from '../attempt.ts';
import { RunFailure } from '../error.ts';

/** A gpu.js kernel: buffers as typed arrays, then scalars. It stores into its arguments. */
export type HostKernel = (args: readonly (HostView | number)[]) => void;
export type HostView = Float32Array | Uint16Array | Int32Array | Uint32Array;

export class Kernels {
  readonly #gpu = new gpujs.GPU({ mode: 'cpu' });
  readonly #constants = makeConstants();
  readonly #made = new Map<string, HostKernel>();
  compiled = 0;

  constructor() {
    for (const [name, source] of Object.entries(natives))
      this.#gpu.addNativeFunction(name, source, { returnType: 'Number' });
  }

  /** Throws ShaderError. */
  get(kernel: Kernel, label: string): HostKernel {
    const key = `${kernel.groups}\n${kernel.text}`;
    const known = this.#made.get(key);
    if (known) return known;
    const made = this.#make(kernel, label);
    this.#made.set(key, made);
    this.compiled++;
    return made;
  }

  #make(kernel: Kernel, label: string): HostKernel {
    const settings = {
      output: [kernel.groups],
      // gpu.js gives up loops after 1,000 rounds otherwise.
      loopMaxIterations: 2 ** 31 - 1,
      constants: this.#constants,
      injectedNative: prelude,
      // The result, which nothing reads, is made once.
      pipeline: true,
    };
    const fail = (messages: readonly string[]): RunFailure =>
      new RunFailure({ _tag: 'ShaderError', kernel: label, messages, source: kernel.text });
    try {
      const run = this.#gpu.createKernel(kernel.text, settings);
      // Types are fixed by arguments of the right kind.
      run.build(...kernel.bindings.map(() => new Float32Array(1)), ...kernel.scalars.map(() => 0.5));
      if (!Object.hasOwn(run.kernel, 'run')) throw fail(['gpu.js makes no valid JavaScript of it']);
      return (args) => {
        run(...args);
      };
    } catch (thrown) {
      throw thrown instanceof RunFailure ? thrown : fail([messageOf(thrown)]);
    }
  }
}
