// Gradient descent in the language: one program a step, which updates the parameters in place.
import {
  type DeviceTensor,
  mul,
  type Program,
  type Runtime,
  type ScalarTensor,
  type Shape,
  sub,
  type Tensor,
  valueAndGrad,
} from '../../src/index.ts';
import type { Running } from '../process/library.ts';
import type { HostArray } from '../workloads/values.ts';
import { described, upload } from './device.ts';

export type Parameters = readonly Tensor<Shape>[];

/** The loss at `p`, and p - rate dp. */
export const descend =
  (loss: (p: Parameters) => ScalarTensor, rate: number) =>
  (p: Parameters): { readonly loss: ScalarTensor; readonly params: Parameters } => {
    const { value, grads } = valueAndGrad(loss)(p);
    return { loss: value, params: p.map((x, i) => sub(x, mul(grads[i]!, rate))) };
  };

type Placed = readonly DeviceTensor[];

export interface Descent {
  /** Parameters before the first step. */
  readonly start: readonly HostArray[];
  /** Takes the parameters over. */
  readonly step: (params: Placed) => Promise<{ readonly loss: DeviceTensor; readonly params: Placed }>;
  readonly program: (params: Placed) => Promise<Program>;
  /** Whose losses are a result. */
  readonly steps: number;
}

/** Steps one after the other, each from where the last one ended. */
export const descending = async (runtime: Runtime, { start, step, program, steps }: Descent): Promise<Running> => {
  const place = (): Promise<Placed> => Promise.all(start.map((p) => upload(runtime, p)));
  let params = await place();
  return {
    launch: async () => {
      const out = await step(params);
      params = out.params;
      out.loss.free();
    },
    wait: runtime.idle,
    result: async () => {
      let p = await place();
      const losses: number[] = [];
      for (let i = 0; i < steps; i++) {
        const out = await step(p);
        p = out.params;
        losses.push(await out.loss.item());
        out.loss.free();
      }
      for (const t of p) t.free();
      return losses;
    },
    ...described(() => program(params)),
  };
};
