// Configurations of a run, as a user's editor checks them.
import { commitmentLoss, dualTokenLosses, pixelLoss } from '../../../src/models/index.ts';
import { defineConfig } from '../../../src/train/index.ts';

// What must compile.
export const nothing = defineConfig({});
export const most = defineConfig({
  variant: 'mini',
  model: { taps: { pixel: 2 }, quantiser: { codes: 256 } },
  losses: [pixelLoss(), commitmentLoss(0.25), { kind: 'deep', weight: 5, form: 'l2-cosine' }],
  data: { train: [{ kind: 'webdataset', path: 'tars/{0000..0099}.tar' }, 'photos'], crop: null },
  weights: { perceptual: ['vgg16.safetensors', 'heads.safetensors'] },
  freeze: ['siglip_model.**'],
  ema: 0.999,
  optimizer: { kind: 'adam', betas: [0.5, 0.9] },
});
export const listed = defineConfig({ losses: dualTokenLosses });
export const row = defineConfig({ variant: 'mini-tap-15', model: { taps: { pixel: null }, decoder: { ch_mult: [1, 2] } } });
export const otherFamily = defineConfig({ variant: 'mini-vqgan', model: { quantiser: { legacy: true, codes: 256 } } });

// What must not.
// error: Type '"mni"' is not assignable to type
// error: Did you mean '"mini"'?
export const noVariant = defineConfig({ variant: 'mni' });
// error: 'pixle' does not exist in type
export const noTap = defineConfig({ model: { taps: { pixle: 3 } } });
// error: 'quantizer' does not exist in type
export const noPart = defineConfig({ model: { quantizer: { codes: 256 } } });
// error: Type 'string' is not assignable to type 'number'
export const textCodes = defineConfig({ model: { quantiser: { codes: '256' } } });
// error: 'optimiser' does not exist in type
// error: Did you mean to write 'optimizer'?
export const british = defineConfig({ optimiser: { learningRate: 1e-4 } });
// error: 'learningrate' does not exist in type
// error: Did you mean to write 'learningRate'?
export const lower = defineConfig({ optimizer: { learningrate: 1e-4 } });
// error: Type '"pixl"' is not assignable to type
// error: Did you mean '"pixel"'?
export const noKind = defineConfig({ losses: [{ kind: 'pixl', weight: 1 }] });
// error: Property 'weight' is missing in type '{ kind: "pixel"; }'
export const noWeight = defineConfig({ losses: [{ kind: 'pixel' }] });
// error: Type '"l3"' is not assignable to type '"l1" | "l2" | undefined'
export const noDistance = defineConfig({ losses: [{ kind: 'pixel', weight: 1, distance: 'l3' }] });
// error: Type 'string' is not assignable to type 'number'
export const words = defineConfig({ steps: 'many' });
// error: Type '"sgd"' is not assignable to type '"adam" | "adamw" | undefined'
export const otherOptimizer = defineConfig({ optimizer: { kind: 'sgd' } });
// error: Type '[number]' is not assignable to type '[number, number]'
export const oneBeta = defineConfig({ optimizer: { betas: [0.9] } });
// error: Type '{ kind: "webdatset"; path: string; }' is not assignable to type
export const noForm = defineConfig({ data: { train: { kind: 'webdatset', path: 'x.tar' } } });
