// The configuration of a training run: what may be in it, its defaults, and all that is wrong with one at once.
import * as E from 'fp-ts/lib/Either.js';
import * as z from 'zod';

const positive = z.number().positive();
const count = z.int().positive();

/** Defaults are DualToken's (sections 3.1 and 3.5) where it has them. */
export const trainConfigSchema = z.strictObject({
  /** Name of the variant. */
  variant: z.string().default('mini'),
  /** What is changed of it, as `{"quantiser": {"codes": 256}}`. */
  model: z.record(z.string(), z.json()).default({}),
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

/** Levenshtein distance. */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row.at(-1)!;
};

/** The known word that is nearest to `word`. */
export const nearestWord = (word: string, known: readonly string[]): string | undefined =>
  [...known].sort(
    (a, b) => distance(word.toLowerCase(), a.toLowerCase()) - distance(word.toLowerCase(), b.toLowerCase()),
  )[0];

/** Keys that the schema knows at a path: those of its defaults. */
const keysAt = (path: readonly PropertyKey[]): readonly string[] => {
  const defaults: unknown = trainConfigSchema.parse({});
  const at = path.reduce<unknown>(
    (o, key) => (typeof o === 'object' && o !== null ? Reflect.get(o, key) : undefined),
    defaults,
  );
  const extra = path.join('.') === 'data' ? ['folder', 'validation'] : [];
  return [...(typeof at === 'object' && at !== null ? Object.keys(at) : []), ...extra];
};

const sentences = (issue: z.core.$ZodIssue): readonly string[] => {
  const at = issue.path.join('.');
  if (issue.code !== 'unrecognized_keys') return [`${at || 'the configuration'}: ${issue.message}`];
  return issue.keys.map((key) => {
    const near = nearestWord(key, keysAt(issue.path));
    return `${at ? `${at}.` : ''}${key}: there is no such key${near ? `; the nearest is '${near}'` : ''}`;
  });
};

/** A configuration with defaults filled in; or everything that is wrong with it, a sentence each. */
export const parseTrainConfig = (json: unknown): E.Either<readonly string[], TrainConfig> => {
  const parsed = trainConfigSchema.safeParse(json);
  return parsed.success ? E.right(parsed.data) : E.left(parsed.error.issues.flatMap(sentences));
};
