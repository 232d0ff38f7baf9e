// What a program's steps need at every run, worked out once when it is loaded.
import { bufferBytes, type Kernel, type Program, type Step } from '../../compiler/program.ts';
import { bytesOf } from '../../dsl/core/dtype.ts';
import { RunFailure } from '../error.ts';
import { ScalarWords, scalarSources } from '../scalars.ts';
import type { WebGpuContext } from './context.ts';
import { foldGroups } from './grid.ts';
import { type Pipeline, uniformBytes } from './pipelines.ts';
import { type Allocation, usage } from './pool.ts';

type DispatchStep = Extract<Step, { readonly kind: 'dispatch' }>;
type CopyStep = Extract<Step, { readonly kind: 'copy' }>;

/** Bindings of one step that recent runs used: buffers come from a pool and recur. */
const WAYS = 4;

export class DispatchPlan {
  readonly kind = 'dispatch';
  readonly step: DispatchStep;
  readonly kernel: Kernel;
  readonly pipeline: Pipeline;
  readonly x: number;
  readonly y: number;
  readonly scalarSources: readonly number[];
  readonly immediates: ScalarWords | null;
  /** Offset in the program's uniform buffer, or -1. */
  readonly uniformAt: number;
  readonly #sizes: readonly number[];
  readonly #keys: Int32Array;
  readonly #groups: (GPUBindGroup | null)[] = new Array(WAYS).fill(null);
  #next = 0;

  constructor(program: Program, step: DispatchStep, pipeline: Pipeline, groupsPerDimension: number, uniformAt: number) {
    this.step = step;
    this.kernel = program.kernels[step.kernel]!;
    this.pipeline = pipeline;
    const { x, y } = foldGroups(this.kernel.groups, groupsPerDimension);
    this.x = x;
    this.y = y;
    this.scalarSources = scalarSources(program, step.scalars);
    this.immediates = pipeline.scalars === 'immediates' ? new ScalarWords(step.scalars.length) : null;
    this.uniformAt = pipeline.scalars === 'uniform' ? uniformAt : -1;
    this.#sizes = step.buffers.map((_, i) => boundBytes(program, step, i));
    this.#keys = new Int32Array(WAYS * step.buffers.length).fill(-1);
  }

  /** The step's bindings to the buffers now in `slots`. */
  bindGroup(device: GPUDevice, slots: readonly (Allocation | null)[], uniforms: GPUBuffer | null): GPUBindGroup {
    const { buffers } = this.step;
    const n = buffers.length;
    for (let way = 0; way < WAYS; way++) {
      let i = 0;
      while (i < n && this.#keys[way * n + i] === slots[buffers[i]!.slot]!.id) i++;
      if (i === n && this.#groups[way]) return this.#groups[way]!;
    }
    const way = this.#next;
    this.#next = (way + 1) % WAYS;
    for (let i = 0; i < n; i++) this.#keys[way * n + i] = slots[buffers[i]!.slot]!.id;
    const made = this.#bind(device, slots, uniforms);
    this.#groups[way] = made;
    return made;
  }

  #bind(device: GPUDevice, slots: readonly (Allocation | null)[], uniforms: GPUBuffer | null): GPUBindGroup {
    const entries: GPUBindGroupEntry[] = this.step.buffers.map((b, binding) => ({
      binding,
      resource: { buffer: slots[b.slot]!.gpu, offset: b.offset ?? 0, size: this.#sizes[binding]! },
    }));
    if (this.uniformAt >= 0 && uniforms)
      entries.push({
        binding: entries.length,
        resource: { buffer: uniforms, offset: this.uniformAt, size: uniformBytes(this.kernel) },
      });
    return device.createBindGroup({ layout: this.pipeline.layout, entries });
  }
}

export interface CopyPlan {
  readonly kind: 'copy';
  readonly step: CopyStep;
}

export interface Plan {
  readonly steps: readonly (DispatchPlan | CopyPlan)[];
  /** Index in the program of each of `steps`. */
  readonly indices: readonly number[];
  readonly uniforms: { readonly gpu: GPUBuffer; readonly words: ScalarWords } | null;
}

/** Bytes of a step's binding: those of its tensor where no range is given, because a slot may hold larger ones at other times. */
const boundBytes = (program: Program, step: DispatchStep, binding: number): number => {
  const { slot, offset = 0, size } = step.buffers[binding]!;
  const { length, dtype } = program.kernels[step.kernel]!.bindings[binding]!;
  return size ?? Math.min(program.slots[slot]!.bytes - offset, bufferBytes(length, bytesOf[dtype]));
};

const checkSizes = (program: Program, { caps }: WebGpuContext): void => {
  const { binding, buffer } = caps.limits;
  for (const step of program.steps) {
    if (step.kind === 'copy') continue;
    const what = `a binding of '${step.origin.label}'`;
    for (const i of step.buffers.keys()) {
      const bytes = boundBytes(program, step, i);
      if (bytes > binding) throw new RunFailure({ _tag: 'TooLarge', what, bytes, limit: binding });
    }
  }
  for (const { bytes, holds } of program.slots)
    if (bytes > buffer)
      throw new RunFailure({ _tag: 'TooLarge', what: `a buffer of the program (${holds})`, bytes, limit: buffer });
};

/** Compiles every kernel of the program that is dispatched. Throws ShaderError or TooLarge. */
export const planProgram = async (program: Program, context: WebGpuContext): Promise<Plan> => {
  checkSizes(program, context);
  const { device, caps, pipelines } = context;
  const indices = program.steps.flatMap((s, i) =>
    s.kind === 'copy' || program.kernels[s.kernel]!.groups > 0 ? [i] : [],
  );
  const steps = indices.map((i) => program.steps[i]!);
  const ready = await Promise.all(
    steps.map((s) => (s.kind === 'dispatch' ? pipelines.get(program.kernels[s.kernel]!, s.origin.label) : null)),
  );
  const alignment = device.limits.minUniformBufferOffsetAlignment;
  let uniformEnd = 0;
  const plans = steps.map((step, i) => {
    const pipeline = ready[i];
    if (step.kind === 'copy' || !pipeline) return { kind: 'copy', step } as CopyPlan;
    const at = uniformEnd;
    if (pipeline.scalars === 'uniform')
      uniformEnd = Math.ceil((at + uniformBytes(program.kernels[step.kernel]!)) / alignment) * alignment;
    return new DispatchPlan(program, step, pipeline, caps.limits.groupsPerDimension, at);
  });
  const uniforms =
    uniformEnd === 0
      ? null
      : {
          gpu: device.createBuffer({ size: uniformEnd, usage: usage.uniform | usage.copyDst }),
          words: new ScalarWords(uniformEnd / 4),
        };
  return { steps: plans, indices, uniforms };
};
