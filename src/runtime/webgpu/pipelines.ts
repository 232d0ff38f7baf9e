// Compute pipelines: one per shader text, several compiled at once, with layouts made from the program's bindings.
import type { Kernel } from '../../compiler/program.ts';
import { messageOf } from '../attempt.ts';
import { RunFailure } from '../error.ts';

export interface Pipeline {
  readonly gpu: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  /** How the kernel's run-time scalars reach it. */
  readonly scalars: 'none' | 'immediates' | 'uniform';
}

/** Drivers compile on threads of their own; more than this only costs memory. */
const IN_FLIGHT = 4;
const COMPUTE = 4;

const scalarsOf = (kernel: Kernel): Pipeline['scalars'] =>
  kernel.scalars.length === 0 ? 'none' : kernel.text.includes('var<immediate>') ? 'immediates' : 'uniform';

/** Bytes of a kernel's scalars in a uniform buffer: structures there are whole 16-byte units. */
export const uniformBytes = (kernel: Kernel): number => Math.ceil((kernel.scalars.length * 4) / 16) * 16;

const quoted = (source: string, m: GPUCompilationMessage): string => {
  const line = source.split('\n')[m.lineNum - 1];
  const where = m.lineNum > 0 ? `line ${m.lineNum}:${m.linePos}: ` : '';
  return `${m.type}: ${where}${m.message}${line === undefined ? '' : `\n    | ${line.trim()}`}`;
};

export class Pipelines {
  readonly #device: GPUDevice;
  readonly #made = new Map<string, Promise<Pipeline>>();
  readonly #layouts = new Map<string, { readonly group: GPUBindGroupLayout; readonly pipeline: GPUPipelineLayout }>();
  readonly #waiting: (() => void)[] = [];
  #busy = 0;
  compiled = 0;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** The pipeline of a kernel; throws ShaderError. `label` names the kernel in errors. */
  get(kernel: Kernel, label: string): Promise<Pipeline> {
    const key = `${this.#layoutKey(kernel)}\n${kernel.text}`;
    const known = this.#made.get(key);
    if (known) return known;
    const made = this.#queued(() => this.#compile(kernel, label));
    this.#made.set(key, made);
    made.catch(() => this.#made.delete(key));
    return made;
  }

  async #queued<A>(work: () => Promise<A>): Promise<A> {
    if (this.#busy >= IN_FLIGHT) await new Promise<void>((go) => this.#waiting.push(go));
    else this.#busy++;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#busy--;
    }
  }

  async #compile(kernel: Kernel, label: string): Promise<Pipeline> {
    const device = this.#device;
    const fail = (messages: readonly string[]): RunFailure =>
      new RunFailure({ _tag: 'ShaderError', kernel: label, messages, source: kernel.text });
    device.pushErrorScope('validation');
    const module = device.createShaderModule({ label, code: kernel.text });
    const layout = this.#layout(kernel);
    const invalid = device.popErrorScope();
    // The layout may be at fault as well; then the promise below says so, but not why.
    const made = device.createComputePipelineAsync({
      label,
      layout: layout.pipeline,
      compute: { module, entryPoint: 'main' },
    });
    made.catch(() => {});
    const error = await invalid;
    if (error) {
      const { messages } = await module.getCompilationInfo();
      const errors = messages.filter((m) => m.type === 'error');
      throw fail(errors.length > 0 ? errors.map((m) => quoted(kernel.text, m)) : [error.message]);
    }
    const gpu = await made.catch((thrown) => {
      throw fail([messageOf(thrown)]);
    });
    this.compiled++;
    return { gpu, layout: layout.group, scalars: scalarsOf(kernel) };
  }

  #layoutKey(kernel: Kernel): string {
    return `${kernel.bindings.map((b) => (b.access === 'read' ? 'r' : 'w')).join('')} ${scalarsOf(kernel)} ${kernel.scalars.length}`;
  }

  #layout(kernel: Kernel): { readonly group: GPUBindGroupLayout; readonly pipeline: GPUPipelineLayout } {
    const key = this.#layoutKey(kernel);
    const known = this.#layouts.get(key);
    if (known) return known;
    const scalars = scalarsOf(kernel);
    const entries: GPUBindGroupLayoutEntry[] = kernel.bindings.map((b, binding) => ({
      binding,
      visibility: COMPUTE,
      buffer: { type: b.access === 'read' ? 'read-only-storage' : 'storage' },
    }));
    if (scalars === 'uniform')
      entries.push({ binding: entries.length, visibility: COMPUTE, buffer: { type: 'uniform' } });
    const group = this.#device.createBindGroupLayout({ label: key, entries });
    const pipeline = this.#device.createPipelineLayout({
      label: key,
      bindGroupLayouts: [group],
      immediateSize: scalars === 'immediates' ? kernel.scalars.length * 4 : 0,
    });
    const made = { group, pipeline };
    this.#layouts.set(key, made);
    return made;
  }
}
