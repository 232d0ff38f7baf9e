// Hugging Face's config.json: parsed, with the defaults of transformers where a field is absent.
import * as E from 'fp-ts/lib/Either.js';
import { z } from 'zod';
import { configFaults } from './config-faults.ts';

/** Sizes of one transformer tower, as both towers of both model families name them. */
const tower = {
  hidden_size: z.int().positive(),
  intermediate_size: z.int().positive(),
  num_hidden_layers: z.int().positive(),
  num_attention_heads: z.int().positive(),
  hidden_act: z.enum(['gelu_pytorch_tanh', 'gelu', 'quick_gelu', 'silu']),
  layer_norm_eps: z.number().positive(),
};
/** Fields of a vision tower's configuration. */
export const visionShape = {
  ...tower,
  num_channels: z.int(),
  image_size: z.int().positive(),
  patch_size: z.int().positive(),
};
/** Fields of a text tower's configuration. */
export const textShape = {
  ...tower,
  vocab_size: z.int().positive(),
  max_position_embeddings: z.int().positive(),
};

const visionSchema = z.object(visionShape);
const textSchema = z.object(textShape);
/** Sizes of a vision tower in Hugging Face's terms. */
export type VisionConfig = Readonly<z.infer<typeof visionSchema>>;
/** Sizes of a text tower in Hugging Face's terms. */
export type TextConfig = Readonly<z.infer<typeof textSchema>>;

const siglipTower = {
  hidden_size: 768,
  intermediate_size: 3072,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  hidden_act: 'gelu_pytorch_tanh',
  layer_norm_eps: 1e-6,
};
const siglipVision = { ...siglipTower, num_channels: 3, image_size: 224, patch_size: 16, vision_use_head: true };
const siglipText = { ...siglipTower, vocab_size: 32000, max_position_embeddings: 64 };

const clipTower = { num_hidden_layers: 12, hidden_act: 'quick_gelu', layer_norm_eps: 1e-5 };
const clipVision = {
  ...clipTower,
  hidden_size: 768,
  intermediate_size: 3072,
  num_attention_heads: 12,
  num_channels: 3,
  image_size: 224,
  patch_size: 32,
};
const clipText = {
  ...clipTower,
  hidden_size: 512,
  intermediate_size: 2048,
  num_attention_heads: 8,
  vocab_size: 49408,
  max_position_embeddings: 77,
  eos_token_id: 49407,
};

/** The object's fields over the defaults; null and absent objects are all defaults. */
const over = <T extends z.ZodRawShape>(defaults: Readonly<Record<string, unknown>>, shape: T) =>
  z.preprocess(
    (x) => (x === null || x === undefined ? defaults : typeof x === 'object' ? { ...defaults, ...x } : x),
    z.object(shape),
  );

const siglipSchema = z.object({
  vision_config: over(siglipVision, {
    ...visionShape,
    vision_use_head: z.literal(true, 'a tower without a pooling head has no image embedding'),
  }),
  // The head of the text tower projects to `projection_size`: the hidden size where it is absent.
  text_config: over(siglipText, { ...textShape, projection_size: z.int().positive().optional() }),
});
export type SiglipConfig = Readonly<z.infer<typeof siglipSchema>>;

/** Fields of a CLIP configuration; those that are absent have transformers' defaults. */
export const clipSchema = z.object({
  vision_config: over(clipVision, visionShape),
  text_config: over(clipText, { ...textShape, eos_token_id: z.int() }),
  projection_dim: z.int().positive().default(512),
});
export type ClipConfig = Readonly<z.infer<typeof clipSchema>>;

const headsDivide = ({ hidden_size, num_attention_heads }: VisionConfig | TextConfig, at: string): readonly string[] =>
  hidden_size % num_attention_heads === 0
    ? []
    : [`${at}: hidden_size ${hidden_size} does not divide into ${num_attention_heads} heads`];

const parse =
  <T extends { readonly vision_config: VisionConfig; readonly text_config: TextConfig }>(schema: z.ZodType<T>) =>
  (json: unknown): E.Either<readonly string[], T> => {
    const read = schema.safeParse(json);
    if (!read.success) return E.left(configFaults(read.error, {}));
    const faults = [
      ...headsDivide(read.data.vision_config, 'vision_config'),
      ...headsDivide(read.data.text_config, 'text_config'),
    ];
    return faults.length > 0 ? E.left(faults) : E.right(read.data);
  };

/** A SigLIP config.json; fields of no use here are ignored. Left: every fault with its path. */
export const parseSiglipConfig = parse(siglipSchema);
/** A CLIP config.json. */
export const parseClipConfig = parse(clipSchema);
