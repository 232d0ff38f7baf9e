// gpu.js in its WebGPU mode.

import { dawnClasses } from '../../process/dawn.ts';
import { serve } from '../../process/serve.ts';
import { adapterName } from '../webgpu.ts';

serve(async () => {
  // Imported only now: it looks for navigator.gpu as it loads.
  const { operations } = await import('./operations.ts');
  return { device: await adapterName(), on: 'adapter', makers: operations, classes: dawnClasses };
});
