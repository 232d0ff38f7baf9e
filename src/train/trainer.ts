// A task on a device: its state, the compiled step, and the state's way to the host and back.
import { initParams } from '../dsl/init.ts';
import { zeros } from '../dsl/ops/create.ts';
import { type RavelLayout, ravel, ravelLayout } from '../dsl/ravel.ts';
import type { Rank1 } from '../dsl/shape.ts';
import { anySize, type ScalarTensor, type Tensor, wrapAll } from '../dsl/tensor.ts';
import { take } from '../dsl/transform/tensors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { type DeviceTensor, HostTensor, u32 } from '../runtime/tensor.ts';
import { type AdamWOptions, adamwScalars } from './adamw.ts';
import type { Vectors } from './optimise.ts';
import { stepKey, type Task, type TrainState, trainStep } from './step.ts';
import { type NamedTensor, type NamedTensors, namedFromVectors, tensorNamed, vectorsFromNamed } from './vectors.ts';

export interface TrainerOptions extends AdamWOptions {
  /** Decay of the parameters that are not tagged 'noDecay'. */
  readonly weightDecay: number;
  /** Largest global norm of the gradient; null: any. */
  readonly clip: number | null;
  readonly seed: number;
}

export interface StepMetrics {
  readonly loss: number;
  /** Global norm of the gradient before clipping. */
  readonly gradNorm: number;
  /** The task's terms, before their weights. */
  readonly terms: Readonly<Record<string, number>>;
}

/** f32 [count, 3, height, width] in [-1, 1]. */
export interface ImageBatch {
  readonly images: Float32Array;
  readonly count: number;
  readonly height: number;
  readonly width: number;
}

interface DeviceState {
  readonly params: readonly DeviceTensor[];
  readonly m: readonly DeviceTensor[];
  readonly v: readonly DeviceTensor[];
  readonly extra: readonly DeviceTensor[];
}

export interface Trainer {
  readonly layouts: { readonly params: RavelLayout; readonly frozen: RavelLayout };
  /** Trains on one batch, as step `step` counted from 0. */
  readonly step: (batch: ImageBatch, step: number, learningRate: number) => Promise<StepMetrics>;
  /** Parameters and the task's state, on the device, as they now are; gone after the next step. */
  readonly state: () => DeviceState;
  /** All that a resumed run needs, by name: parameters under their own, the rest under the prefixes of `sections`. */
  readonly snapshot: () => Promise<NamedTensors>;
  /** Takes a snapshot up again. @throws Error naming a tensor that is missing or misshapen */
  readonly restore: (tensors: NamedTensors) => Promise<void>;
  readonly free: () => void;
}

/** Prefixes of names in a snapshot, for what is no trained parameter. */
export const sections = { m: 'optimizer.m.', v: 'optimizer.v.', frozen: 'frozen.', extra: 'state.' } as const;

/**
 * Starts a task: parameters by their initialisers under the seed. Throws CompileFailure or RunFailure where the device cannot
 * hold or run it.
 */
export const openTrainer = async <P, F, Q>(
  runtime: Runtime,
  task: Task<P, F, Q>,
  options: TrainerOptions,
): Promise<Trainer> => {
  const layouts = { params: ravelLayout(task.spec), frozen: ravelLayout(task.frozenSpec, () => 'frozen') };
  const weightDecay = layouts.params.groups.map((g) => (g.name === 'decay' ? options.weightDecay : 0));
  const extra = take(task.initExtra(anySize(zeros([2], 'u32'))));
  let terms: readonly string[] = [];

  const start = (seed: ScalarTensor<'u32'>, zero: ScalarTensor<'u32'>) => {
    const key: Tensor<Rank1, 'u32'> = stepKey(zero, seed);
    const empty = (): Vectors => layouts.params.groups.map((g) => zeros([g.length]));
    const state: TrainState = {
      params: ravel(layouts.params, initParams(task.spec)({ key, path: '' })),
      m: empty(),
      v: empty(),
      extra: wrapAll(take(task.initExtra(key)).nodes),
    };
    return { state, frozen: ravel(layouts.frozen, initParams(task.frozenSpec)({ key, path: '' })) };
  };
  const run = runtime.compile(
    trainStep(task, layouts, extra, { ...options, weightDecay }, (names) => {
      terms = names;
    }),
    { name: 'the training step', donate: [0] },
  );
  const init = await runtime.compile(start, { name: 'initialisation' })(u32(options.seed), u32(0));
  let state: DeviceState = init.state;
  let frozen: readonly DeviceTensor[] = init.frozen;
  const freeAll = (): void => {
    for (const t of [...state.params, ...state.m, ...state.v, ...state.extra, ...frozen]) t.free();
  };

  const floats = async (t: DeviceTensor): Promise<Float32Array<ArrayBuffer>> => {
    const values = await t.read();
    if (!(values instanceof Float32Array)) throw new Error(`a state of dtype ${t.dtype} cannot be kept: use f32`);
    return new Float32Array(values);
  };
  const readAll = (ts: readonly DeviceTensor[]): Promise<readonly Float32Array<ArrayBuffer>[]> =>
    Promise.all(ts.map(floats));
  const upload = (vectors: readonly Float32Array[], shapes: readonly (readonly number[])[]) =>
    Promise.all(vectors.map((v, i) => runtime.upload(v, shapes[i]!)));

  return {
    layouts,
    state: () => state,
    step: async ({ images, count, height, width }, step, learningRate) => {
      const at = { ...adamwScalars(options, learningRate, step + 1), seed: u32(options.seed), step: u32(step) };
      const out = await run(state, frozen, new HostTensor(images, [count, 3, height, width], 'f32'), at);
      state = out.state;
      const [loss, gradNorm, ...rest] = await out.metrics.read();
      out.metrics.free();
      return {
        loss: loss!,
        gradNorm: gradNorm!,
        terms: Object.fromEntries(terms.map((name, i) => [name, rest[i]!])),
      };
    },
    snapshot: async () => {
      const of = async (ts: readonly DeviceTensor[], layout: RavelLayout, prefix: string) =>
        namedFromVectors(layout, await readAll(ts), prefix);
      const values = await readAll(state.extra);
      return new Map<string, NamedTensor>([
        ...(await of(state.params, layouts.params, '')),
        ...(await of(state.m, layouts.params, sections.m)),
        ...(await of(state.v, layouts.params, sections.v)),
        ...(await of(frozen, layouts.frozen, sections.frozen)),
        ...values.map(
          (data, i) => [`${sections.extra}${extra.paths[i]!}`, { shape: state.extra[i]!.shape, data }] as const,
        ),
      ]);
    },
    restore: async (tensors) => {
      const of = (layout: RavelLayout, prefix: string) => vectorsFromNamed(layout, tensors, prefix);
      const lengths = (layout: RavelLayout) => layout.groups.map((g) => [g.length]);
      const [params, m, v] = [of(layouts.params, ''), of(layouts.params, sections.m), of(layouts.params, sections.v)];
      const still = of(layouts.frozen, sections.frozen);
      const own = extra.paths.map((path, i) => tensorNamed(tensors, `${sections.extra}${path}`, extra.nodes[i]!.shape));
      const shapes = extra.nodes.map((n) => n.shape);
      const next = {
        params: await upload(params, lengths(layouts.params)),
        m: await upload(m, lengths(layouts.params)),
        v: await upload(v, lengths(layouts.params)),
        extra: await upload(own, shapes),
      };
      const nextFrozen = await upload(still, lengths(layouts.frozen));
      freeAll();
      state = next;
      frozen = nextFrozen;
    },
    free: freeAll,
  };
};
