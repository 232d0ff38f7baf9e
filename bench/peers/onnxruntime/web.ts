// onnxruntime-web: its WebGPU build on the project's Dawn, or its WebAssembly build.

import { availableParallelism } from 'node:os';
import type * as Ort from 'onnxruntime-web/webgpu';
import type { Model } from '../../onnx/model.ts';
import { makersOf } from '../../onnx/models.ts';
import type { Library, Running } from '../../process/library.ts';
import { serve } from '../../process/serve.ts';
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
const onDevice = (ort: OrtModule, wait: () => Promise<void>) => (model: Model) => async (): Promise<Running> => {
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
    wait,
    result: async () => {
      const y = (await session.run(feeds))[name]!;
      return numbersOf(model, (await y.getData(true)) as ArrayBufferView);
    },
  };
};

const prepared = (ort: OrtModule, threads: number): OrtModule => {
  ort.env.logLevel = 'error';
  ort.env.wasm.numThreads = threads;
  return ort;
};

const onWebGpu = async (device: string): Promise<Library> => {
  const { adapterName, devicesIdle } = await import('../webgpu.ts');
  const { dawnClasses } = await import('../../process/dawn.ts');
  // With threads it would wait for workers that Node does not give it.
  const ort = prepared(await import('onnxruntime-web/webgpu'), 1);
  const makers = makersOf(onDevice(ort, devicesIdle), attentionOf(device));
  return { device: await adapterName(), on: 'adapter', makers, classes: dawnClasses };
};

const inWebAssembly = async (): Promise<Library> => {
  const ort = prepared(await import('onnxruntime-web'), availableParallelism());
  return { device: 'processor', on: 'wasm', makers: makersOf(onProcessor(ort), attentionOf('wasm')) };
};

serve((device) => (device === 'wasm' ? inWebAssembly() : onWebGpu(device)));
