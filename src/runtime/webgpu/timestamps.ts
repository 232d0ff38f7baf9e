// Times of single steps: a pass each with timestamp queries, or one submission each where the device has none.
import type { StepTime } from '../backend.ts';
import type { WebGpuContext } from './context.ts';
import { type Bindings, encodeStep } from './encode.ts';
import type { Plan } from './plan.ts';
import { usage } from './pool.ts';

/** The most queries of one set. */
const QUERIES = 4096;
const STEPS = QUERIES / 2;

const byQueries = async ({ device, memory }: WebGpuContext, plan: Plan, to: Bindings): Promise<readonly StepTime[]> => {
  const n = plan.steps.length;
  const sets = Array.from({ length: Math.ceil(n / STEPS) }, (_, i) =>
    device.createQuerySet({ type: 'timestamp', count: 2 * Math.min(STEPS, n - i * STEPS) }),
  );
  const resolved = device.createBuffer({ size: n * 16, usage: usage.queryResolve | usage.copySrc });
  const encoder = device.createCommandEncoder();
  plan.steps.forEach((p, i) => {
    encodeStep(encoder, p, to, { querySet: sets[Math.floor(i / STEPS)]!, at: 2 * (i % STEPS) });
  });
  sets.forEach((set, i) => {
    encoder.resolveQuerySet(set, 0, set.count, resolved, i * QUERIES * 8);
  });
  device.queue.submit([encoder.finish()]);
  const ticks = new BigUint64Array(await memory.bytes(resolved, n * 16));
  for (const set of sets) set.destroy();
  resolved.destroy();
  const first = ticks.reduce((a, b) => (b < a ? b : a));
  return plan.indices.map((step, i) => ({
    step,
    startNs: Number(ticks[2 * i]! - first),
    durationNs: Math.max(0, Number(ticks[2 * i + 1]! - ticks[2 * i]!)),
  }));
};

const byWaiting = async ({ device }: WebGpuContext, plan: Plan, to: Bindings): Promise<readonly StepTime[]> => {
  const times: StepTime[] = [];
  const first = performance.now();
  for (const [i, p] of plan.steps.entries()) {
    const start = performance.now();
    const encoder = device.createCommandEncoder();
    encodeStep(encoder, p, to);
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    times.push({
      step: plan.indices[i]!,
      startNs: (start - first) * 1e6,
      durationNs: (performance.now() - start) * 1e6,
    });
  }
  return times;
};

/** Runs the steps one by one and times each. With queries everything is submitted before this returns for the first time. */
export const runTimed = (context: WebGpuContext, plan: Plan, to: Bindings): Promise<readonly StepTime[]> =>
  plan.steps.length === 0 ? Promise.resolve([]) : (context.caps.timestamps ? byQueries : byWaiting)(context, plan, to);
