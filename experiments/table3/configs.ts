// The runs of the experiment: a tower that is taught semantics, and the rows of Table 3 that start from it.
import { join } from 'node:path';
import { defineConfig, type TrainConfigInput } from '../../src/train/index.ts';

/** `mini`'s tower at 32 pixels: 64 tokens of 96 channels. */
const tower = {
  vision: {
    hidden_size: 96,
    intermediate_size: 384,
    num_attention_heads: 3,
    image_size: 32,
    patch_size: 4,
  },
};

/** `mini` at 32 pixels: 8 x 8 positions of 4 codes of 8 bits. */
const tokenizer = {
  ...tower,
  quantiser: { codes: 256 },
  decoder: {
    ch: 16,
    ch_mult: [1, 2, 4],
    attn_resolutions: [8],
    resolution: 32,
    in_channels: 64,
    groups: 8,
  },
};

/** Where the data and the teacher lie, and where the runs go. */
export interface Places {
  readonly data: string;
  readonly out: string;
}

/** Steps of each run. */
export interface Lengths {
  readonly tower: number;
  readonly row: number;
}
export const lengths: Lengths = { tower: 3000, row: 300 };

const pictures = ({ data }: Places) => ({
  train: { kind: 'cifar10' as const, path: join(data, 'cifar10-subset'), split: 'train' as const },
  validation: { kind: 'cifar10' as const, path: join(data, 'cifar10-subset'), split: 'test' as const },
});

/** The tower learns MobileNetV2's pooled features of the training pictures and of a thousand photos. */
export const towerConfig = (places: Places, steps = lengths.tower): TrainConfigInput =>
  defineConfig({
    variant: 'mini-tower',
    model: tower,
    losses: [{ kind: 'teacher', weight: 1, net: 'mobilenet_v2', size: 96 }],
    weights: { teacher: join(places.data, 'mobilenet_v2_10_224-imagenet') },
    data: {
      train: [pictures(places).train, join(places.data, 'imagenet-sample-1000')],
      crop: [0.5, 1],
      workers: 0,
    },
    optimizer: { learningRate: 1e-3, betas: [0.9, 0.99], weightDecay: 0.05 },
    schedule: { warmup: 50 },
    steps,
    batchSize: 32,
    checkpoint: { everySteps: 250 },
    out: join(places.out, 'tower'),
  });

/** Rows that are trained, by the variant of `mini` that each is. */
export const rows = {
  'initial, quantised': 'mini-initial-quantised',
  '(a) Recon deep + Sem deep': 'mini-a',
  '(b) Recon deep': 'mini-b',
  '(c) Recon shallow': 'mini-c',
  '(d) Recon shallow + Sem deep': 'mini-d',
} as const;
export type Row = keyof typeof rows;

/** Losses of DualToken, with SqueezeNet's features in LPIPS's place, for VGG16's weights are not at hand. */
const losses = (row: Row, steps: number): TrainConfigInput['losses'] => {
  const recon = [
    { kind: 'pixel' as const, weight: 10 },
    { kind: 'perceptual' as const, weight: 1, net: 'squeezenet1_0-caffe' as const },
    { kind: 'adversarial' as const, weight: 0.75, channels: 16, start: Math.floor(steps / 2) },
  ];
  const semantic = [
    { kind: 'deep' as const, weight: 5 },
    { kind: 'pooled' as const, weight: 1 },
  ];
  const commitment = [{ kind: 'commitment' as const, weight: 40 }];
  return [...(row === 'initial, quantised' ? [] : recon), ...(row.includes('Sem') ? semantic : []), ...commitment];
};

export const runName = (row: Row, seed: number): string => `${rows[row].replace('mini-', '')}-seed-${seed}`;

/** A row from the tower at `model`, with equal steps, data, order and codes. */
export const rowConfig = (
  places: Places,
  row: Row,
  seed: number,
  model: string,
  steps = lengths.row,
): TrainConfigInput =>
  defineConfig({
    variant: rows[row],
    model:
      row === 'initial, quantised'
        ? { ...tokenizer, quantiser: { codes: 256, dim: tower.vision.hidden_size } }
        : tokenizer,
    losses: losses(row, steps),
    weights: { model, perceptual: join(places.data, 'squeezenet1_0-imagenet', 'squeezenet1_0.fp16.safetensors') },
    data: { ...pictures(places), crop: [0.9, 1], workers: 0 },
    optimizer: { learningRate: 5e-4, betas: [0.5, 0.9] },
    discriminator: {
      optimizer: { kind: 'adam', learningRate: 5e-4, weightDecay: 0 },
      schedule: { warmup: 20, final: 0 },
    },
    schedule: { warmup: 30 },
    steps,
    batchSize: 32,
    seed,
    checkpoint: { everySteps: 200, keep: 1 },
    sampleEvery: 200,
    out: join(places.out, runName(row, seed)),
  });
