// Configurations of the tokenizer: a default, what a variant changes, and a check that names every fault.
import { z } from 'zod';
import { DslError } from '../../dsl/core/error.ts';
import { type DualTokenConfig, latentSide } from '../dualtoken.ts';
import { textShape, visionShape } from '../hf-config.ts';
import { dualtokenSo400m, so400mText } from './dualtoken-so400m.ts';

const whole = z.int().positive();
const vision = z.strictObject(visionShape);
const taps = z.strictObject({ pixel: whole.nullable(), semantic: whole.nullable() });
const learning = z.enum(['depth', 'forward']);
const quantiser = z.strictObject({
  depth: whole,
  codes: whole,
  dim: whole,
  decay: z.number().gt(0).lt(1),
  eps: z.number().positive(),
  restart: z.boolean(),
  learning: learning.optional(),
  sumLimit: z.number().positive().nullable().optional(),
});
const choices = {
  vocabularies: z.union([z.literal(1), z.literal(2)]).optional(),
  shortcut: z.strictObject({ tap: whole, weight: z.number() }).optional(),
  projection: z.enum(['conv', 'attention', 'none']).optional(),
  postQuantConv: z.enum(['block', 'conv']).optional(),
  semanticLearning: learning.optional(),
  text: z.strictObject(textShape).optional(),
};
const decoder = z.strictObject({
  ch: whole,
  ch_mult: z.array(whole).min(1),
  num_res_blocks: z.int().min(0),
  attn_resolutions: z.array(whole),
  resolution: whole,
  in_channels: whole,
  out_ch: whole,
  groups: whole,
});
/** A whole configuration, as a checkpoint carries it. */
export const dualTokenSchema = z.strictObject({ vision, taps, quantiser, decoder, ...choices });
export { quantiser as quantiserSchema };

/** Every key that a configuration may have. */
export const dualTokenExample: DualTokenConfig = {
  ...dualtokenSo400m,
  quantiser: { ...dualtokenSo400m.quantiser, learning: 'depth', sumLimit: 1000 },
  vocabularies: 2,
  shortcut: { tap: 4, weight: 0.6 },
  projection: 'conv',
  postQuantConv: 'block',
  semanticLearning: 'depth',
  text: so400mText,
};

type Parts = 'vision' | 'taps' | 'quantiser' | 'decoder';
/** What a variant changes of another: single fields, or none of a part. */
export type Changes = {
  readonly [K in Parts]?: { readonly [F in keyof DualTokenConfig[K]]?: DualTokenConfig[K][F] | undefined } | undefined;
} & { readonly [K in Exclude<keyof DualTokenConfig, Parts>]?: DualTokenConfig[K] | undefined };

/** The fields of `part` that are stated, over `base`. */
const over = <T extends object>(base: T, part: { readonly [F in keyof T]?: T[F] | undefined } | undefined): T => ({
  ...base,
  ...Object.fromEntries(Object.entries(part ?? {}).filter(([, value]) => value !== undefined)),
});

/** `base` with some fields replaced. */
const changed = (
  base: DualTokenConfig,
  { vision, taps, quantiser: codes, decoder: painter, ...choices }: Changes,
): DualTokenConfig => ({
  ...over<DualTokenConfig>(base, choices),
  vision: over(base.vision, vision),
  taps: over(base.taps, taps),
  quantiser: over(base.quantiser, codes),
  decoder: over(base.decoder, painter),
});

const projectGroups = 32;
const say = (wrong: boolean, fault: string): readonly string[] => (wrong ? [fault] : []);
const grouped = (name: string, channels: number, groups: number) =>
  say(channels % groups !== 0, `${name} is ${channels}: not a multiple of the ${groups} groups of its norm`);

const tapFaults = ({ vision: v, taps, vocabularies, shortcut }: DualTokenConfig): readonly string[] => {
  const { pixel, semantic } = taps;
  const within = (name: string, tap: number | null | undefined) =>
    say((tap ?? 0) > v.num_hidden_layers, `${name} ${tap}: the tower has ${v.num_hidden_layers} blocks`);
  return [
    ...say(pixel === null && semantic === null, 'taps: neither a pixel nor a semantic tap is left'),
    ...say(
      pixel !== null && semantic !== null && pixel > semantic,
      `taps.pixel ${pixel} comes after taps.semantic ${semantic}`,
    ),
    ...within('taps.pixel', pixel),
    ...within('taps.semantic', semantic),
    ...within('shortcut.tap', shortcut?.tap),
    ...say(
      shortcut !== undefined && shortcut.tap > (pixel ?? 0),
      `shortcut.tap ${shortcut?.tap} comes after taps.pixel ${pixel}`,
    ),
    ...say(
      vocabularies === 1 && pixel !== semantic,
      `vocabularies 1: both taps are one, but taps.pixel is ${pixel} and taps.semantic ${semantic}`,
    ),
  ];
};

const widthFaults = ({
  vision: { hidden_size: width },
  quantiser: { dim },
  projection,
  postQuantConv,
}: DualTokenConfig) => {
  const normed = projection === undefined || projection === 'conv' || postQuantConv !== 'conv';
  return [
    ...(normed ? grouped('vision.hidden_size', width, projectGroups) : []),
    ...codeFaults(width, dim, projection),
  ];
};
const codeFaults = (width: number, dim: number, projection: DualTokenConfig['projection']) =>
  projection === 'none'
    ? say(dim !== width, `quantiser.dim ${dim} is not vision.hidden_size ${width}, and projection is 'none'`)
    : projection === 'attention'
      ? say(
          width % dim !== 0,
          `quantiser.dim ${dim} does not divide vision.hidden_size ${width}, which attention asks for`,
        )
      : grouped('quantiser.dim', dim, projectGroups);

/** Every reason why a configuration makes no model; none for one that does. */
export const faultsOf = (c: DualTokenConfig): readonly string[] => {
  const { vision: v, decoder: d } = c;
  return [
    ...say(
      v.hidden_size % v.num_attention_heads !== 0,
      `vision.hidden_size ${v.hidden_size} does not divide into ${v.num_attention_heads} heads`,
    ),
    ...say(
      v.patch_size > v.image_size,
      `vision.patch_size ${v.patch_size} is larger than the picture of ${v.image_size}`,
    ),
    ...tapFaults(c),
    ...say(
      d.resolution !== v.image_size,
      `decoder.resolution ${d.resolution} is not vision.image_size ${v.image_size}`,
    ),
    ...say(d.out_ch !== v.num_channels, `decoder.out_ch ${d.out_ch} is not vision.num_channels ${v.num_channels}`),
    ...say(
      !Number.isInteger(latentSide(c)),
      `decoder.resolution ${d.resolution} can't be halved ${d.ch_mult.length - 1} times`,
    ),
    ...widthFaults(c),
    ...(c.postQuantConv === 'conv' ? [] : grouped('decoder.in_channels', d.in_channels, projectGroups)),
    ...grouped('decoder.ch', d.ch, d.groups),
  ];
};

/** A variant of `base`. Throws DslError with every fault. */
export const variantOf = (base: DualTokenConfig, changes: Changes): DualTokenConfig => {
  const made = changed(base, changes);
  const faults = faultsOf(made);
  if (faults.length > 0) throw new DslError('variant', faults.join('; '));
  return made;
};
