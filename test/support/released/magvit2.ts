// Open-MAGVIT2's 256_L as its improved_model.py names its parameters, and their running averages.
import { losses, patchDiscriminator } from './autoencoders.ts';
import { conv, linear, type Named, norm, type Released, shadow, times } from './modules.ts';

const block = (at: string, inputs: number, outputs: number): Named => [
  ...norm(`${at}.norm1`, inputs),
  ...norm(`${at}.norm2`, outputs),
  ...conv(`${at}.conv1`, inputs, outputs, 3, false),
  ...conv(`${at}.conv2`, outputs, outputs, 3, false),
  ...(inputs === outputs ? [] : conv(`${at}.nin_shortcut`, inputs, outputs, 1, false)),
];
const blocks = (at: string, inputs: number, outputs: number): Named =>
  times(4, (j) => block(`${at}.${j}`, j === 0 ? inputs : outputs, outputs));

const widths = [128, 128, 256, 256, 512];
const [latent, last] = [18, 512];

const weights: Named = [
  ...conv('encoder.conv_in', 3, 128, 3, false),
  ...times(5, (i) => [
    ...blocks(`encoder.down.${i}.block`, widths[i - 1] ?? 128, widths[i]!),
    ...(i === 4 ? [] : conv(`encoder.down.${i}.downsample`, widths[i]!, widths[i]!, 3)),
  ]),
  ...blocks('encoder.mid_block', last, last),
  ...norm('encoder.norm_out', last),
  ...conv('encoder.conv_out', last, latent, 1),
  ...conv('decoder.conv_in', latent, last, 3),
  ...blocks('decoder.mid_block', last, last),
  ...times(5, (i) => [
    ...blocks(`decoder.up.${i}.block`, widths[i + 1] ?? last, widths[i]!),
    ...(i === 0 ? [] : conv(`decoder.up.${i}.upsample.conv1`, widths[i]!, 4 * widths[i]!, 3)),
    ...linear(`decoder.adaptive.${i}.gamma`, latent, widths[i + 1] ?? last),
    ...linear(`decoder.adaptive.${i}.beta`, latent, widths[i + 1] ?? last),
  ]),
  ...norm('decoder.norm_out', 128),
  ...conv('decoder.conv_out', 128, 3, 3),
];

/** Without averages, as a file of the weights alone. */
export const magvit2Weights: Released = { used: weights, beside: losses(3) };

/** Averages are of all that learns, so of the discriminator too; evaluations take them. */
const learned = patchDiscriminator(3).filter(([name]) => /\.(weight|bias)$/.test(name));
const isOfModel = ([name]: Named[number]): boolean => /^model_ema\.(encoder|decoder)/.test(name);
const averages = shadow('model_ema', [...weights, ...learned]);
export const magvit2: Released = {
  used: averages.filter(isOfModel),
  beside: [...weights, ...losses(3), ...averages.filter((a) => !isOfModel(a))],
};
