// The configuration of a training run: what may be in it, its defaults, and all that is wrong with one at once.
import * as E from 'fp-ts/lib/Either.js';
import * as z from 'zod';
import { configFaults } from '../models/config-faults.ts';
import { readVariant } from '../models/variants/index.ts';

const positive = z.number().positive();
const count = z.int().positive();

const modelFields = {
  /** Name of the variant. */
  variant: z.string().default('mini'),
  /** What is changed of it, as `{"quantiser": {"codes": 256}}`. */
  model: z.record(z.string(), z.json()).default({}),
};

/** Defaults are DualToken's (sections 3.1 and 3.5) where it has them. */
export const trainConfigSchema = z.strictObject({
  ...modelFields,
  data: z
    .strictObject({
      /** Folder of pictures, at any depth. */
      folder: z.string().optional(),
      /** Folder of pictures that are not trained on: samples and PSNR are of these. */
      validation: z.string().optional(),
      /** Random crops keep this share of the area; null: the square in the middle. */
      crop: z
        .tuple([z.number().positive().max(1), z.number().positive().max(1)])
        .nullable()
        .default([0.5, 1]),
      /** Decoded pictures kept in memory, MiB. */
      cacheMiB: z.number().min(0).default(1024),
    })
    .prefault({}),
  steps: count.default(20000),
  batchSize: count.default(8),
  /** Of initial values, order of samples, crops and restarts of codes. */
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .default(0),
  optimizer: z
    .strictObject({
      learningRate: positive.default(7.2e-5),
      betas: z.tuple([z.number().min(0).lt(1), z.number().min(0).lt(1)]).default([0.5, 0.9]),
      eps: positive.default(1e-8),
      weightDecay: z.number().min(0).default(1e-4),
      /** Largest global norm of the gradient; null: any. */
      clip: positive.nullable().default(null),
    })
    .prefault({}),
  schedule: z
    .strictObject({
      kind: z.enum(['cosine', 'constant']).default('cosine'),
      warmup: z.int().min(0).default(100),
      /** Learning rate at the end of the cosine. */
      final: z.number().min(0).default(0),
    })
    .prefault({}),
  /** Weights of the loss terms. */
  losses: z
    .strictObject({
      pixel: z.number().min(0).default(10),
      deep: z.number().min(0).default(5),
      pooled: z.number().min(0).default(1),
      commitment: z.number().min(0).default(40),
    })
    .prefault({}),
  /** Folder of the run: checkpoints, log, samples, model. */
  out: z.string().default('runs/mini'),
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

/** As written: everything has a default. */
export type TrainConfigInput = z.input<typeof trainConfigSchema>;
export type TrainConfig = z.output<typeof trainConfigSchema>;

/** Every key that a configuration may have. */
const example = (): unknown => {
  const defaults = trainConfigSchema.parse({});
  return { ...defaults, data: { folder: '', validation: '', ...defaults.data } };
};

/** What is wrong with the model that a configuration asks for, as far as the rest can be read. */
const modelFaults = ({ model, variant }: Pick<TrainConfig, 'model' | 'variant'>): readonly string[] => {
  const read = readVariant({ ...model, variant });
  return E.isRight(read) ? [] : read.left.map((fault) => (fault.startsWith('variant: ') ? fault : `model.${fault}`));
};

/** A configuration with defaults filled in; or everything that is wrong with it, the model's part included, a sentence each. */
export const parseTrainConfig = (json: unknown): E.Either<readonly string[], TrainConfig> => {
  const parsed = trainConfigSchema.safeParse(json);
  const chosen = z.object(modelFields).safeParse(json);
  const faults = [
    ...(parsed.success ? [] : configFaults(parsed.error, example())),
    ...(chosen.success ? modelFaults(chosen.data) : []),
  ];
  return parsed.success && faults.length === 0 ? E.right(parsed.data) : E.left(faults);
};
