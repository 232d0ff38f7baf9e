// onnxruntime-node: its own build of Dawn, or its processor kernels.
import { availableParallelism } from 'node:os';
import ort from 'onnxruntime-node';
import type { Model, Typed } from '../../onnx/model.ts';
import { firstElement, identity, makersOf } from '../../onnx/models.ts';
import type { Running } from '../../process/library.ts';
import { serve } from '../../process/serve.ts';
import { sizeOf } from '../../workloads/values.ts';
import { attentionOf, numbersOf, typeNames } from './results.ts';

type Session = ort.InferenceSession;
type Feeds = Readonly<Record<string, ort.Tensor>>;

const QUIET = 3;

const sessionOf = (device: string, model: Uint8Array, keepOnDevice: boolean): Promise<Session> =>
  ort.InferenceSession.create(model, {
    executionProviders: [device],
    intraOpNumThreads: availableParallelism(),
    graphOptimizationLevel: 'all',
    logSeverityLevel: QUIET,
    // A node that only the processor has a kernel for is an error, not a detour.
    ...(device === 'cpu' ? {} : { extra: { session: { disable_cpu_ep_fallback: '1' } } }),
    ...(keepOnDevice ? { preferredOutputLocation: 'gpu-buffer' as const } : {}),
  });

const feedsOf = ({ feeds }: Model): Feeds =>
  Object.fromEntries(
    Object.entries(feeds).map(([name, f]) => [name, new ort.Tensor(typeNames[f.type], f.data, f.shape)]),
  );

/** The one result of a session. */
const only = async (s: Session, feeds: Feeds): Promise<ort.Tensor> => (await s.run(feeds))[s.outputNames[0]!]!;

const onProcessor = (model: Model) => async (): Promise<Running> => {
  const session = await sessionOf('cpu', model.bytes, false);
  const feeds = feedsOf(model);
  return {
    launch: async () => {
      await session.run(feeds);
    },
    wait: async () => {},
    result: async () => numbersOf(model, (await only(session, feeds)).data as ArrayBufferView),
  };
};

/** Elements of a result that is read whole to know that it is there. */
const SMALL = 1024;

/** Results stay on the device, and after the first call the inputs do too: small models move them, and tell when a run is done. */
const onDevice = (model: Model) => async (): Promise<Running> => {
  const { output } = model;
  const small = sizeOf(output.shape) <= SMALL;
  const helper = (bytes: Uint8Array, keep: boolean): Promise<Session> => sessionOf('webgpu', bytes, keep);
  const session = await sessionOf('webgpu', model.bytes, !small);
  const toHost = small ? null : await helper(identity(output), false);
  const read = async (y: ort.Tensor): Promise<ort.Tensor> => (toHost ? only(toHost, { x: y }) : y);
  let feeds = feedsOf(model);
  let last: ort.Tensor | null = null;
  let wait: (y: ort.Tensor) => Promise<unknown> = read;
  const stay = async (): Promise<void> => {
    const upload = async (x: ort.Tensor, typed: Typed): Promise<ort.Tensor> =>
      only(await helper(identity(typed), true), { x });
    const moved = Object.entries(model.feeds).map(async ([name, f]) => [name, await upload(feeds[name]!, f)] as const);
    feeds = Object.fromEntries(await Promise.all(moved));
    if (small) return;
    const first = await helper(firstElement(output), false);
    wait = async (y) => first.run({ x: y });
  };
  return {
    launch: async () => {
      last?.dispose();
      last = await only(session, feeds);
    },
    wait: async () => {
      if (last) await wait(last);
    },
    result: async () => {
      const y = await only(session, feeds);
      const values = numbersOf(model, (await read(y)).data as ArrayBufferView);
      y.dispose();
      await stay();
      return values;
    },
  };
};

serve(async (device) => ({
  device: device === 'cpu' ? 'processor' : 'what its own Dawn finds',
  on: device === 'cpu' ? 'processor' : 'adapter',
  makers: makersOf(device === 'cpu' ? onProcessor : onDevice, attentionOf(device)),
}));
