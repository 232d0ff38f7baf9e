// jax-js on WebGPU, or on its WebAssembly backend.
import { adapterName } from '../navigator.ts';
import '../iterator-helpers.ts';
import '../web-worker.ts';
import { dawnClasses } from '../../process/dawn.ts';
import { serve } from '../../process/serve.ts';

serve(async (device) => {
  if (device !== 'webgpu' && device !== 'wasm') throw new Error(`jax-js has no device '${device}'`);
  // Imported only now: it looks for navigator.gpu and Worker as it loads.
  const jax = await import('@jax-js/jax');
  const found = await jax.init(device);
  if (!found.includes(device)) throw new Error(`jax-js opens no ${device}`);
  jax.defaultDevice(device);
  const { operations } = await import('./operations.ts');
  const { blocks } = await import('./block.ts');
  const { mlp } = await import('./training.ts');
  return {
    device: device === 'webgpu' ? await adapterName() : 'processor',
    on: device === 'webgpu' ? 'adapter' : 'processor',
    makers: { ...operations, ...blocks, ...mlp },
    ...(device === 'webgpu' ? { classes: dawnClasses } : {}),
  };
});
