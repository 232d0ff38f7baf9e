// onnxruntime-web: its WebGPU build on the project's Dawn, or its WebAssembly build.

import { availableParallelism } from 'node:os';
import type * as Ort from 'onnxruntime-web/webgpu';
import type { Model } from '../../onnx/model.ts';
import { makersOf } from '../../onnx/models.ts';
import { dawnClasses } from '../../process/dawn.ts';
import type { Running } from '../../process/library.ts';
import { serve } from '../../process/serve.ts';
import { adapterName, devicesIdle } from '../navigator.ts';
import { attentionOf, numbersOf, typeNames } from './results.ts';

type OrtModule = typeof Ort;

const feedsOf = ({ Tensor }: OrtModule, { feeds }: Model): Readonly<Record<string, Ort.Tensor>> =>
  Object.fromEntries(Object.entries(feeds).map(([name, f]) => [name, new Tensor(typeNames[f.type], f.data, f.shape)]));

const onProcessor = (ort: OrtModule) => (model: Model) => async (): Promise<Running> => {
  const session = await ort.InferenceSession.create(model.bytes, {
    executionProviders: ['wasm'],
    graphOptimizationLevel: 'all',
  });
  const feeds = feedsOf(ort, model);
  const { name } = model.output;
  return {
    launch: async () => {
      await session.run(feeds);
    },
    wait: async () => {},
    result: async () => numbersOf(model, (await session.run(feeds))[name]!.data as ArrayBufferView),
  };
};

const WORD = 4;

/** Inputs and results stay on the device. */
const onDevice = (ort: OrtModule) => (model: Model) => async (): Promise<Running> => {
  const session = await ort.InferenceSession.create(model.bytes, {
    executionProviders: ['webgpu'],
    graphOptimizationLevel: 'all',
    preferredOutputLocation: 'gpu-buffer',
    // A node that only the processor has a kernel for is an error, not a detour.
    extra: { session: { disable_cpu_ep_fallback: '1' } },
  });
  const device = await ort.env.webgpu.device;
  const upload = ([name, { type, shape, data }]: readonly [string, Model['feeds'][string]]) => {
    const buffer = device.createBuffer({
      size: Math.ceil(data.byteLength / WORD) * WORD,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC,
    });
    device.queue.writeBuffer(buffer, 0, data);
    return [name, ort.Tensor.fromGpuBuffer(buffer, { dataType: typeNames[type], dims: shape })] as const;
  };
  const feeds = Object.fromEntries(Object.entries(model.feeds).map(upload));
  const { name } = model.output;
  let last: Ort.Tensor | null = null;
  return {
    launch: async () => {
      last?.dispose();
      last = (await session.run(feeds))[name]!;
    },
    wait: devicesIdle,
    result: async () => {
      const y = (await session.run(feeds))[name]!;
      return numbersOf(model, (await y.getData(true)) as ArrayBufferView);
    },
  };
};

serve(async (device) => {
  const gpu = device !== 'wasm';
  const ort: OrtModule = gpu ? await import('onnxruntime-web/webgpu') : await import('onnxruntime-web');
  ort.env.logLevel = 'error';
  // With threads, its WebGPU build waits for workers that Node does not give it.
  ort.env.wasm.numThreads = gpu ? 1 : availableParallelism();
  const makers = makersOf((gpu ? onDevice : onProcessor)(ort), attentionOf(device));
  return gpu
    ? { device: await adapterName(), on: 'adapter', makers, classes: dawnClasses }
    : { device: 'processor', on: 'processor', makers };
});
