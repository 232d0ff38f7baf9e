// VQGAN's halves, MoVQGAN's decoder and the networks of their losses, as taming-transformers and SBER-MoVQGAN name their parameters.
import { batchNorm, conv, type Named, norm, type Released, shadow, times } from './modules.ts';

type Norm = (name: string, width: number) => Named;

const block = (at: string, inputs: number, outputs: number, normOf: Norm = norm, window = 3): Named => [
  ...normOf(`${at}.norm1`, inputs),
  ...conv(`${at}.conv1`, inputs, outputs, window),
  ...normOf(`${at}.norm2`, outputs),
  ...conv(`${at}.conv2`, outputs, outputs, 3),
  ...(inputs === outputs ? [] : conv(`${at}.nin_shortcut`, inputs, outputs, 1)),
];
/** DualToken's ProjectResnetBlock and PostQuantResnetBlock. */
export const projectBlock = (at: string, inputs: number, outputs: number): Named => block(at, inputs, outputs, norm, 1);

const attention = (at: string, width: number, normOf: Norm = norm): Named => [
  ...normOf(`${at}.norm`, width),
  ...['q', 'k', 'v', 'proj_out'].flatMap((p) => conv(`${at}.${p}`, width, width, 1)),
];
const middle = (at: string, width: number, normOf: Norm = norm): Named => [
  ...block(`${at}.mid.block_1`, width, width, normOf),
  ...attention(`${at}.mid.attn_1`, width, normOf),
  ...block(`${at}.mid.block_2`, width, width, normOf),
];

/** Channels of each level, the picture's first; attention is in the last. */
export const encoder = (widths: readonly number[], latent: number): Named => {
  const [first, last] = [widths[0]!, widths.at(-1)!];
  const top = widths.length - 1;
  return [
    ...conv('encoder.conv_in', 3, first, 3),
    ...times(widths.length, (i) => [
      ...times(2, (j) =>
        block(`encoder.down.${i}.block.${j}`, j === 0 ? (widths[i - 1] ?? first) : widths[i]!, widths[i]!),
      ),
      ...(i === top ? times(2, (j) => attention(`encoder.down.${i}.attn.${j}`, last)) : []),
      ...(i === top ? [] : conv(`encoder.down.${i}.downsample.conv`, widths[i]!, widths[i]!, 3)),
    ]),
    ...middle('encoder', last),
    ...norm('encoder.norm_out', last),
    ...conv('encoder.conv_out', last, latent, 3),
  ];
};

export const decoder = (widths: readonly number[], latent: number, normOf: Norm = norm): Named => {
  const [first, last] = [widths[0]!, widths.at(-1)!];
  const top = widths.length - 1;
  return [
    ...conv('decoder.conv_in', latent, last, 3),
    ...middle('decoder', last, normOf),
    ...times(widths.length, (i) => [
      ...times(3, (j) =>
        block(`decoder.up.${i}.block.${j}`, j === 0 ? (widths[i + 1] ?? last) : widths[i]!, widths[i]!, normOf),
      ),
      ...(i === top ? times(3, (j) => attention(`decoder.up.${i}.attn.${j}`, last, normOf)) : []),
      ...(i === 0 ? [] : conv(`decoder.up.${i}.upsample.conv`, widths[i]!, widths[i]!, 3)),
    ]),
    ...normOf('decoder.norm_out', first),
    ...conv('decoder.conv_out', first, 3, 3),
  ];
};

/** MoVQGAN's SpatialNorm, on a latent of four channels. */
const spatialNorm: Norm = (name, width) => [
  ...norm(`${name}.norm_layer`, width),
  ...conv(`${name}.conv_y`, 4, width, 1),
  ...conv(`${name}.conv_b`, 4, width, 1),
];

/** Layers of VGG16's `features` that have weights, by LPIPS's slices. */
const slices = [
  [0, 2],
  [5, 7],
  [10, 12, 14],
  [17, 19, 21],
  [24, 26, 28],
];
const taps = [64, 128, 256, 512, 512];
const perceptual: Named = [
  ['loss.perceptual_loss.scaling_layer.shift', [1, 3, 1, 1]],
  ['loss.perceptual_loss.scaling_layer.scale', [1, 3, 1, 1]],
  ...slices.flatMap((layers, i) =>
    layers.flatMap((layer, j) =>
      conv(`loss.perceptual_loss.net.slice${i + 1}.${layer}`, j > 0 ? taps[i]! : (taps[i - 1] ?? 3), taps[i]!, 3),
    ),
  ),
  ...taps.flatMap((width, i) => conv(`loss.perceptual_loss.lin${i}.model.1`, width, 1, 1, false)),
];

/** Convolutions are three apart: each but the first and the last has a norm and a ReLU behind it. */
export const patchDiscriminator = (layers: number): Named => {
  const width = (i: number) => 64 * Math.min(2 ** i, 8);
  const at = (i: number) => `loss.discriminator.main.${i}`;
  return [
    ...conv(at(0), 3, 64, 4),
    ...times(layers, (i) => [
      ...conv(at(3 * i + 2), width(i), width(i + 1), 4, false),
      ...batchNorm(at(3 * i + 3), width(i + 1)),
    ]),
    ...conv(at(3 * layers + 2), width(layers), 1, 4),
  ];
};
export const losses = (layers: number): Named => [...perceptual, ...patchDiscriminator(layers)];

const around = (latent: number, codes: number, width: number): Named => [
  ['quantize.embedding.weight', [codes, width]],
  ...conv('quant_conv', latent, width, 1),
  ...conv('post_quant_conv', width, latent, 1),
];

/** taming-transformers' ImageNet f16 of 16,384 codes. */
export const vqganF16: Released = {
  used: [
    ...encoder([128, 128, 256, 256, 512], 256),
    ...decoder([128, 128, 256, 256, 512], 256),
    ...around(256, 16384, 256),
  ],
  beside: losses(3),
};

const movqgan: Named = [
  ...encoder([128, 256, 256, 512], 4),
  ...decoder([128, 256, 256, 512], 4, spatialNorm),
  ...around(4, 16384, 4),
];
/** SBER-MoVQGAN 67M: each module has its shadow. */
export const movqgan67M: Released = {
  used: movqgan,
  beside: [
    ...losses(2),
    ...['encoder', 'decoder', 'quantize', 'quant_conv', 'post_quant_conv'].flatMap((part) =>
      shadow(
        `ema_${part}`,
        movqgan.flatMap(([name, shape]) =>
          name.startsWith(`${part}.`) ? [[name.slice(part.length + 1), shape] as const] : [],
        ),
      ),
    ),
  ],
};
