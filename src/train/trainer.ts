// A task on a device: its state, the compiled step, and the state's way to the host and back.
import { initParams } from '../dsl/init.ts';
import { zeros } from '../dsl/ops/create.ts';
import { key } from '../dsl/ops/random.ts';
import { namedSpecs } from '../dsl/param.ts';
import { type RavelLayout, ravelLayout } from '../dsl/ravel.ts';
import { type AnyTensor, type ScalarTensor, wrapAll } from '../dsl/tensor.ts';
import { take } from '../dsl/transform/tensors.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { type DeviceTensor, HostTensor, u32 } from '../runtime/tensor.ts';
import { type AdamWOptions, adamwScalars } from './adamw.ts';
import { type Task, trainStep } from './step.ts';
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
  readonly frozen: readonly DeviceTensor[];
}

/** The same on the host: vectors by layout, and the task's own state. */
interface StartValues {
  readonly params: readonly Float32Array[];
  readonly m: readonly Float32Array[];
  readonly v: readonly Float32Array[];
  readonly frozen: readonly Float32Array[];
  readonly extra: readonly Float32Array[];
}

export interface Trainer<P = unknown> {
  readonly layouts: { readonly params: RavelLayout<P>; readonly frozen: RavelLayout };
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

const floats = async (t: DeviceTensor): Promise<Float32Array<ArrayBuffer>> => {
  const values = await t.read();
  if (!(values instanceof Float32Array)) throw new Error(`a state of dtype ${t.dtype} cannot be kept: use f32`);
  return new Float32Array(values);
};
const readAll = (ts: readonly DeviceTensor[]): Promise<readonly Float32Array<ArrayBuffer>[]> =>
  Promise.all(ts.map(floats));

/** Parameters by their initialisers, moments of zero, and the task's own start. */
const initialValues = async <P, F, Q>(
  runtime: Pick<Runtime, 'compile' | 'upload'>,
  task: Task<P, F, Q>,
  layouts: Trainer['layouts'],
  seed: number,
): Promise<StartValues> => {
  const initialise = (root: ScalarTensor<'u32'>): readonly (readonly AnyTensor[])[] => {
    const rootKey = key(root);
    const trees = [
      initParams(task.spec)({ key: rootKey, path: '' }),
      initParams(task.frozenSpec)({ key: rootKey, path: '' }),
      task.initExtra(rootKey),
    ];
    return trees.map((tree) => wrapAll(take(tree).nodes));
  };
  const drawn = await runtime.compile(initialise, { name: 'initialisation' })(u32(seed));
  const named = async (spec: unknown, tensors: readonly DeviceTensor[]): Promise<NamedTensors> => {
    const values = await readAll(tensors);
    return new Map(namedSpecs(spec).map(({ path, spec: { shape } }, i) => [path, { shape, data: values[i]! }]));
  };
  const params = vectorsFromNamed(layouts.params, await named(task.spec, drawn[0]!));
  const frozen = vectorsFromNamed(layouts.frozen, await named(task.frozenSpec, drawn[1]!));
  const extra = await readAll(drawn[2]!);
  for (const t of drawn.flat()) t.free();
  const zero = () => params.map((vector) => new Float32Array(vector.length));
  return { params, m: zero(), v: zero(), frozen, extra };
};

/**
 * Starts a task: parameters by their initialisers under the seed. Throws CompileFailure or RunFailure where the device cannot
 * hold or run it.
 */
export const openTrainer = async <P, F, Q>(
  runtime: Pick<Runtime, 'compile' | 'upload'>,
  task: Task<P, F, Q>,
  options: TrainerOptions,
): Promise<Trainer<P>> => {
  const layouts = { params: ravelLayout(task.spec), frozen: ravelLayout(task.frozenSpec, () => 'frozen') };
  const weightDecay = layouts.params.groups.map((g) => (g.name === 'decay' ? options.weightDecay : 0));
  const extra = take(task.initExtra(zeros([2], 'u32')));
  let terms: readonly string[] = [];

  const run = runtime.compile(
    trainStep(task, layouts, extra, { ...options, weightDecay }, (names) => {
      terms = names;
    }),
    { name: 'the training step', donate: [0] },
  );
  const place = async (start: StartValues): Promise<DeviceState> => {
    const upload = (layout: RavelLayout, vectors: readonly Float32Array[]) =>
      Promise.all(vectors.map((v, i) => runtime.upload(v, [layout.groups[i]!.length])));
    return {
      params: await upload(layouts.params, start.params),
      m: await upload(layouts.params, start.m),
      v: await upload(layouts.params, start.v),
      frozen: await upload(layouts.frozen, start.frozen),
      extra: await Promise.all(start.extra.map((values, i) => runtime.upload(values, extra.nodes[i]!.shape))),
    };
  };
  const free = (s: DeviceState): void => {
    for (const t of [...s.params, ...s.m, ...s.v, ...s.extra, ...s.frozen]) t.free();
  };
  let state = await place(await initialValues(runtime, task, layouts, options.seed));

  const readAll = (ts: readonly DeviceTensor[]): Promise<readonly Float32Array<ArrayBuffer>[]> =>
    Promise.all(ts.map(floats));
  const readNamed = async (ts: readonly DeviceTensor[], layout: RavelLayout, prefix: string) =>
    namedFromVectors(layout, await readAll(ts), prefix);

  return {
    layouts,
    state: () => state,
    step: async ({ images, count, height, width }, step, learningRate) => {
      const at = { ...adamwScalars(options, learningRate, step + 1), seed: u32(options.seed), step: u32(step) };
      const { frozen, ...trained } = state;
      const out = await run(trained, frozen, new HostTensor(images, [count, 3, height, width], 'f32'), at);
      state = { ...out.state, frozen };
      const [loss, gradNorm, ...rest] = await out.metrics.read();
      out.metrics.free();
      return {
        loss: loss!,
        gradNorm: gradNorm!,
        terms: Object.fromEntries(terms.map((name, i) => [name, rest[i]!])),
      };
    },
    snapshot: async () => {
      const values = await readAll(state.extra);
      return new Map<string, NamedTensor>([
        ...(await readNamed(state.params, layouts.params, '')),
        ...(await readNamed(state.m, layouts.params, sections.m)),
        ...(await readNamed(state.v, layouts.params, sections.v)),
        ...(await readNamed(state.frozen, layouts.frozen, sections.frozen)),
        ...values.map(
          (data, i) => [`${sections.extra}${extra.paths[i]!}`, { shape: state.extra[i]!.shape, data }] as const,
        ),
      ]);
    },
    restore: async (tensors) => {
      const of = (layout: RavelLayout, prefix: string) => vectorsFromNamed(layout, tensors, prefix);
      const next = await place({
        params: of(layouts.params, ''),
        m: of(layouts.params, sections.m),
        v: of(layouts.params, sections.v),
        frozen: of(layouts.frozen, sections.frozen),
        extra: extra.paths.map((path, i) => tensorNamed(tensors, `${sections.extra}${path}`, extra.nodes[i]!.shape)),
      });
      free(state);
      state = next;
    },
    free: () => free(state),
  };
};
