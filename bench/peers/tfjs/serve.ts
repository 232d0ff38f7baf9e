// TensorFlow.js on its WebGPU backend.

import { dawnClasses } from '../../process/dawn.ts';
import { serve } from '../../process/serve.ts';
import { adapterName } from '../navigator.ts';

serve(async (device) => {
  // Imported only now: the backend registers itself where it finds navigator.gpu as it loads.
  const { tf } = await import('./tensors.ts');
  if (!(await tf.setBackend(device))) throw new Error(`TensorFlow.js opens no ${device}`);
  await tf.ready();
  const { operations } = await import('./operations.ts');
  const { blocks } = await import('./block.ts');
  const { mlp } = await import('./training.ts');
  return {
    device: await adapterName(),
    on: 'adapter',
    makers: { ...operations, ...blocks, ...mlp },
    classes: dawnClasses,
  };
});
