// jax-js on WebGPU, or on its WebAssembly backend.
import '../iterator-helpers.ts';
import '../web-worker.ts';
import type { Library } from '../../process/library.ts';
import { serve } from '../../process/serve.ts';
import { setNavigator } from '../navigator.ts';

type Opened = Pick<Library, 'device' | 'on' | 'classes'>;

const devices = {
  webgpu: async (): Promise<Opened> => {
    const { adapterName } = await import('../webgpu.ts');
    const { dawnClasses } = await import('../../process/dawn.ts');
    return { device: await adapterName(), on: 'adapter', classes: dawnClasses };
  },
  wasm: async (): Promise<Opened> => {
    setNavigator();
    return { device: 'processor', on: 'wasm' };
  },
};

serve(async (device) => {
  if (device !== 'webgpu' && device !== 'wasm') throw new Error(`jax-js has no device '${device}'`);
  const opened = await devices[device]();
  // Imported only now: it looks for navigator.gpu and Worker as it loads.
  const jax = await import('@jax-js/jax');
  const found = await jax.init(device);
  if (!found.includes(device)) throw new Error(`jax-js opens no ${device}`);
  jax.defaultDevice(device);
  const { operations } = await import('./operations.ts');
  const { blocks } = await import('./block.ts');
  const { mlp } = await import('./training.ts');
  return { ...opened, makers: { ...operations, ...blocks, ...mlp } };
});
