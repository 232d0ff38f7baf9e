// The tokenizers that learn nothing but pictures: VQGAN, SBER-MoVQGAN and Open-MAGVIT2, each as published and at mini size.
import type { Loss } from '../losses/loss.ts';
import { magvit2ImageNet256, magvit2Mini } from '../magvit2.ts';
import { movqganConfigs, movqganMini } from '../movqgan.ts';
import { vqganImageNetF16, vqganMini } from '../vqgan.ts';
import { atMini, type Variant } from './variant.ts';

/** Where imagenet_vqgan.yaml and the configuration of the model of 16,384 codes differ. */
const tamingAdversary = {
  1024: { weight: 0.8, layers: 3, start: 250_001 },
  16384: { weight: 0.75, layers: 2, start: 0 },
} as const;

/** taming-transformers' loss. */
const tamingLosses = (codes: keyof typeof tamingAdversary): readonly Loss[] => [
  { kind: 'pixel', weight: 1, distance: 'l1' },
  { kind: 'perceptual', weight: 1, net: 'lpips-vgg' },
  { kind: 'adversarial', discriminator: 'patch', objective: 'hinge', adaptive: [0, 10000], ...tamingAdversary[codes] },
  { kind: 'commitment', weight: 1 },
];

/** SBER's: squares, and fixed weights; its configurations' start and weight of the discriminator are used nowhere in its code. */
const movqganLosses: readonly Loss[] = [
  { kind: 'pixel', weight: 1 },
  { kind: 'perceptual', weight: 0.1, net: 'lpips-vgg' },
  { kind: 'adversarial', weight: 0.1, discriminator: 'patch', objective: 'hinge', adaptive: null, layers: 2 },
  { kind: 'commitment', weight: 1 },
];

export const vqganVariant = (codes: keyof typeof tamingAdversary): Variant<'vqgan'> => ({
  title: `VQGAN of taming-transformers on ImageNet, f16, ${codes.toLocaleString('en')} codes`,
  family: 'vqgan',
  config: vqganImageNetF16(codes),
  losses: tamingLosses(codes),
});

export const movqganVariant = (size: keyof typeof movqganConfigs): Variant<'movqgan'> => ({
  title: `SBER-MoVQGAN ${size}: VQGAN with spatially conditioned norms`,
  family: 'movqgan',
  config: movqganConfigs[size],
  losses: movqganLosses,
});

/** A fixed weight of the generator's term, which is a cross entropy; hinge and LeCAM for the discriminator. */
const magvit2Losses: readonly Loss[] = [
  { kind: 'pixel', weight: 1, distance: 'l1' },
  { kind: 'perceptual', weight: 1, net: 'lpips-vgg' },
  {
    kind: 'adversarial',
    weight: 0.1,
    discriminator: 'patch',
    objective: 'hinge',
    generator: 'non-saturating',
    adaptive: null,
    lecam: 0.05,
  },
  { kind: 'entropy', weight: 0.1 },
  { kind: 'commitment', weight: 0.25 },
];

export const magvit2Variant: Variant<'magvit2'> = {
  title: 'Open-MAGVIT2 256_L: lookup-free quantisation, 2^18 codes',
  family: 'magvit2',
  config: magvit2ImageNet256,
  losses: magvit2Losses,
};

const [vqgan, movqgan] = [vqganVariant(16384), movqganVariant('67M')];
export const miniVqgan: Variant<'vqgan'> = {
  ...vqgan,
  title: 'VQGAN at mini size',
  config: vqganMini,
  losses: atMini(vqgan.losses, 16),
};
export const miniMovqgan: Variant<'movqgan'> = {
  ...movqgan,
  title: 'MoVQGAN at mini size',
  config: movqganMini,
  losses: atMini(movqgan.losses, 16),
};
export const miniMagvit2: Variant<'magvit2'> = {
  ...magvit2Variant,
  title: 'Open-MAGVIT2, lookup-free quantisation; at mini size',
  config: magvit2Mini,
  losses: atMini(magvit2Losses, 16),
};
