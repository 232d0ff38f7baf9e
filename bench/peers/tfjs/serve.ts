// TensorFlow.js on its WebGPU backend, or on its WebAssembly backend.

import { availableParallelism } from 'node:os';
import type { Library } from '../../process/library.ts';
import { serve } from '../../process/serve.ts';

type Opened = Pick<Library, 'device' | 'on' | 'classes'>;

/** Loads the backends' packages, which register themselves. */
const backends: Readonly<Record<string, () => Promise<Opened>>> = {
  webgpu: async () => {
    const { adapterName } = await import('../webgpu.ts');
    await import('@tensorflow/tfjs-backend-webgpu');
    const { dawnClasses } = await import('../../process/dawn.ts');
    return { device: await adapterName(), on: 'adapter', classes: dawnClasses };
  },
  wasm: async () => {
    const { setThreadsCount } = await import('@tensorflow/tfjs-backend-wasm');
    setThreadsCount(availableParallelism());
    return { device: 'processor', on: 'wasm' };
  },
};

serve(async (device) => {
  const backend = backends[device];
  if (!backend) throw new Error(`TensorFlow.js has no device '${device}'`);
  const opened = await backend();
  const { tf } = await import('./tensors.ts');
  if (!(await tf.setBackend(device))) throw new Error(`TensorFlow.js opens no ${device}`);
  await tf.ready();
  const { operations } = await import('./operations.ts');
  const { blocks } = await import('./block.ts');
  const { mlp } = await import('./training.ts');
  return { ...opened, makers: { ...operations, ...blocks, ...mlp } };
});
