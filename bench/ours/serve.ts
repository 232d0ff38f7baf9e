// dualtoken, from its sources, on the backend that was asked for.
import { openRuntime } from '../../src/index.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { describeCaps } from '../../src/runtime/choose.ts';
import { measureRoofline } from '../../src/runtime/tune/roofline.ts';
import type { Library } from '../process/library.ts';
import { serve } from '../process/serve.ts';
import { blocks } from './block.ts';
import { mlp } from './mlp.ts';
import { operations } from './operations.ts';
import { tokenizers } from './tokenizer.ts';

/** Where each backend that computes something does so. */
const places: Readonly<Record<Exclude<Backend['name'], 'null'>, Library['on']>> = {
  webgpu: 'adapter',
  wasm: 'wasm',
  gpujs: 'processor',
};
const isPlace = (name: string): name is keyof typeof places => Object.hasOwn(places, name);

serve(async (device) => {
  if (!isPlace(device)) throw new Error(`unknown backend '${device}': ${Object.keys(places).join(' or ')}`);
  const runtime = await openRuntime({ backend: device });
  const { backend } = runtime;
  return {
    device: describeCaps(backend.caps),
    on: places[device],
    relaxedSimd: backend.caps.relaxedSimd ?? false,
    makers: { ...operations(runtime), ...blocks(runtime), ...mlp(runtime), ...tokenizers(runtime) },
    ...(device === 'webgpu'
      ? { classes: (await import('../process/dawn.ts')).dawnClasses, roofline: () => measureRoofline(backend) }
      : {}),
  };
});
