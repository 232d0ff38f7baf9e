// The configuration of a training run: what may be in it, its defaults, and all that is wrong with one at once.
import * as E from 'fp-ts/lib/Either.js';
import * as z from 'zod';
import { datasetSpecSchema } from '../../data/index.ts';
import { configFaults } from '../../models/config-faults.ts';
import { lossSchema } from '../../models/losses/index.ts';
import { type FamilyChanges, readVariant, type Variant, type VariantName } from '../../models/variants/index.ts';
import { ConfigFailure } from '../failure.ts';
import { batchFaults, lossFaults } from './loss-faults.ts';
import { discriminatorSchema, optimizerSchema, rateFaults, scheduleSchema } from './rates.ts';

const positive = z.number().positive();
const count = z.int().positive();
const share = z.number().positive().max(1);
const path = z.string().min(1);
const paths = z.union([path, z.array(path).min(1)]);

/** One data set, or several that are one after the other. */
const datasets = z.union([datasetSpecSchema, z.array(datasetSpecSchema).min(1)]);
export type Datasets = z.output<typeof datasets>;

const modelFields = {
  /** Name of the variant. */
  variant: z.string().default('mini'),
  /** What is changed of it, as `{"quantiser": {"codes": 256}}`. */
  model: z.record(z.string(), z.json()).default({}),
};

const lossesSchema = z.array(lossSchema).readonly().nullable().default(null);

/** Defaults are DualToken's (sections 3.1 and 3.5) where it has them. */
export const trainConfigSchema = z.strictObject({
  ...modelFields,
  /** Each a kind with its weight and options; null: those of the variant. */
  losses: lossesSchema,
  data: z
    .strictObject({
      /** Folder, pattern or file of pictures, or `{ kind: 'webdataset', path: ... }` and the like; or several of them. */
      train: datasets.optional(),
      /** Pictures that are not trained on: samples and PSNR are of these. */
      validation: datasets.optional(),
      /** Random crops keep this share of the area; null: the square in the middle. */
      crop: z
        .tuple([share, share])
        .refine(([least, most]) => least <= most, 'the least share is above the largest')
        .nullable()
        .default([0.9, 1]),
      /** Bytes of pictures kept in memory, MiB. */
      cacheMiB: z.number().min(0).default(1024),
      /** Threads that decode and crop; 0: none but the main one. */
      workers: z.int().min(0).default(1),
      /** Tokenizer of the captions, for a contrastive loss: tokenizer.json, spiece.model, CLIP's vocabulary, or their folder. */
      tokenizer: path.optional(),
      /** Whose rules make ids of them. Default: CLIP's for a vocabulary that has its start of a text, else SigLIP's. */
      tokenizerOf: z.enum(['siglip', 'clip']).optional(),
    })
    .prefault({}),
  /** Weights to start from. */
  weights: z
    .strictObject({
      /**
       * A tokenizer, a tower or a checkpoint: what has the names and shapes of parameters; or several, of which the last that has a
       * parameter gives it. The frozen tower starts from them too.
       */
      model: paths.optional(),
      /** The network of the perceptual loss, and LPIPS's heads: files or folders. */
      perceptual: paths.optional(),
      /** The teacher of a tower. */
      teacher: path.optional(),
    })
    .prefault({}),
  steps: count.default(20000),
  /** Pictures of one forward; a step has `microBatches` of them. */
  batchSize: count.default(8),
  microBatches: count.default(1),
  /** Activations of the tower are computed again in the backward pass: less memory, more time. */
  checkpointing: z.boolean().default(false),
  /**
   * Patterns of paths of parameters that are not trained, beside the variant's: `siglip_model.vision_model.embeddings.**`. Codebooks
   * stay by their own names: `quantizer.**`; `**` is all parameters alone.
   */
  freeze: z.array(z.string()).readonly().default([]),
  /** What the running mean of the weights keeps of itself in a step; null: there is none. The model file has the mean. */
  ema: z.number().gt(0).lt(1).nullable().default(null),
  /** Of initial values, order of samples, crops and restarts of codes. */
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .default(0),
  optimizer: optimizerSchema.prefault({}),
  schedule: scheduleSchema.prefault({}),
  discriminator: discriminatorSchema.prefault({}),
  /** Folder of the run: checkpoints, log, samples, report, model. */
  out: z.string().min(1, 'name a folder').default('runs/mini'),
  checkpoint: z
    .strictObject({
      everySteps: count.default(1000),
      everySeconds: positive.default(300),
      /** Checkpoints that are kept. */
      keep: count.default(2),
    })
    .prefault({}),
  /** Steps between pictures of reconstructions. */
  sampleEvery: count.default(200),
});

type Input = z.input<typeof trainConfigSchema>;
/** As written: everything has a default. */
export interface TrainConfigInput extends Omit<Input, 'variant' | 'model'> {
  /** Name of the variant. Default: mini. */
  readonly variant?: VariantName | undefined;
  /** What is changed of it, as `{ quantiser: { codes: 256 } }`. */
  readonly model?: FamilyChanges | undefined;
}
export type TrainConfig = z.output<typeof trainConfigSchema>;

/** Every key that each of `losses` may have, by its kind. */
const lossKeys = (losses: unknown): unknown => {
  const kind = z.looseObject({ kind: z.string() });
  return (Array.isArray(losses) ? losses : []).map((loss: unknown) => {
    const named = kind.safeParse(loss);
    return lossSchema.options.find(({ shape }) => named.success && shape.kind.value === named.data.kind)?.shape ?? {};
  });
};

/** Every key that a configuration may have. */
const example = (json: unknown): unknown => {
  const defaults = trainConfigSchema.parse({});
  return {
    ...defaults,
    losses: lossKeys(z.looseObject({ losses: z.unknown() }).safeParse(json).data?.losses),
    data: { train: '', validation: '', tokenizer: '', ...defaults.data },
    weights: { model: '', perceptual: '', teacher: '' },
  };
};

/** The variant that a configuration asks for, with its changes and losses. Left: every fault with its path. */
export const variantFor = ({
  model,
  variant,
  losses,
}: Pick<TrainConfig, 'model' | 'variant' | 'losses'>): E.Either<readonly string[], Variant> => {
  const read = readVariant({ ...model, variant });
  if (E.isLeft(read)) return E.left(read.left.map((f) => (f.startsWith('variant: ') ? f : `model.${f}`)));
  const asked: Variant = losses === null ? read.right : { ...read.right, losses };
  const faults = lossFaults(asked);
  return faults.length > 0 ? E.left(faults) : E.right(asked);
};

/**
 * A configuration with defaults filled in; or everything that is wrong with it, the model's part included, a sentence each. With
 * `begun` it is that of a run that goes on with the rates that it began with, whatever they are.
 */
export const parseTrainConfig = (json: unknown, begun = false): E.Either<readonly string[], TrainConfig> => {
  const parsed = trainConfigSchema.safeParse(json);
  const chosen = z.object({ ...modelFields, losses: lossesSchema }).safeParse(json);
  const asked = chosen.success ? variantFor(chosen.data) : E.right(null);
  const faults = [
    ...(parsed.success ? [] : configFaults(parsed.error, example(json))),
    ...(parsed.success && !begun ? rateFaults(parsed.data) : []),
    ...(E.isLeft(asked) ? asked.left : []),
    ...(parsed.success && E.isRight(asked) && asked.right ? batchFaults(asked.right, parsed.data.batchSize) : []),
  ];
  return parsed.success && faults.length === 0 ? E.right(parsed.data) : E.left(faults);
};

/**
 * A configuration, checked by the editor and, as `dualtoken train` does, when it is loaded: `export default defineConfig({ ... })`.
 * @throws ConfigFailure with everything that is wrong with it
 */
export const defineConfig = (config: TrainConfigInput): TrainConfigInput => {
  const read = parseTrainConfig(config);
  if (E.isLeft(read)) throw new ConfigFailure(read.left);
  return config;
};
