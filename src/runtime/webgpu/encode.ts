// Steps -> commands: one encoder a run and one compute pass between copies.
import type { CopyPlan, DispatchPlan, Plan } from './plan.ts';
import type { Allocation } from './pool.ts';

export interface Bindings {
  readonly device: GPUDevice;
  readonly slots: readonly (Allocation | null)[];
  readonly uniforms: GPUBuffer | null;
}

/** Writes the run's scalars where the steps will find them. */
export const placeScalars = (plan: Plan, values: Float64Array): void => {
  for (const p of plan.steps) {
    if (p.kind === 'copy' || p.scalarSources.length === 0) continue;
    const { scalars } = p.kernel;
    const to = p.immediates ?? plan.uniforms!.words;
    const at = p.immediates ? 0 : p.uniformAt / 4;
    for (let k = 0; k < scalars.length; k++) to.set(at + k, values[p.scalarSources[k]!]!, scalars[k]!);
  }
};

const dispatch = (pass: GPUComputePassEncoder, p: DispatchPlan, to: Bindings): void => {
  pass.setBindGroup(0, p.bindGroup(to.device, to.slots, to.uniforms));
  if (p.immediates) pass.setImmediates(0, p.immediates.words);
  pass.dispatchWorkgroups(p.x, p.y);
};

const copy = (encoder: GPUCommandEncoder, { step }: CopyPlan, { slots }: Bindings): void => {
  encoder.copyBufferToBuffer(
    slots[step.from]!.gpu,
    step.offset ?? 0,
    slots[step.to]!.gpu,
    0,
    Math.ceil(step.bytes / 4) * 4,
  );
};

export const encodeSteps = (encoder: GPUCommandEncoder, steps: Plan['steps'], to: Bindings): void => {
  let pass: GPUComputePassEncoder | null = null;
  let pipeline: GPUComputePipeline | null = null;
  for (const p of steps) {
    if (p.kind === 'copy') {
      pass?.end();
      pass = null;
      copy(encoder, p, to);
      continue;
    }
    if (!pass) {
      pass = encoder.beginComputePass();
      pipeline = null;
    }
    if (pipeline !== p.pipeline.gpu) {
      pipeline = p.pipeline.gpu;
      pass.setPipeline(pipeline);
    }
    dispatch(pass, p, to);
  }
  pass?.end();
};

/** One step alone, with its time written where it is asked for. A copy between two empty passes is timed by them. */
export const encodeStep = (
  encoder: GPUCommandEncoder,
  p: DispatchPlan | CopyPlan,
  to: Bindings,
  time?: { readonly querySet: GPUQuerySet; readonly at: number },
): void => {
  if (p.kind === 'copy') {
    if (time)
      encoder.beginComputePass({ timestampWrites: { querySet: time.querySet, endOfPassWriteIndex: time.at } }).end();
    copy(encoder, p, to);
    if (time)
      encoder
        .beginComputePass({ timestampWrites: { querySet: time.querySet, beginningOfPassWriteIndex: time.at + 1 } })
        .end();
    return;
  }
  const pass = encoder.beginComputePass(
    time
      ? {
          timestampWrites: {
            querySet: time.querySet,
            beginningOfPassWriteIndex: time.at,
            endOfPassWriteIndex: time.at + 1,
          },
        }
      : {},
  );
  pass.setPipeline(p.pipeline.gpu);
  dispatch(pass, p, to);
  pass.end();
};
