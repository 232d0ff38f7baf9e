// Optimisers and learning rates as a configuration has them: the model's, and the discriminator's, whose defaults are its own.
import * as z from 'zod';

const positive = z.number().positive();
const beta = z.number().min(0).lt(1);
const kind = z.enum(['adamw', 'adam']);
const decay = z.number().min(0);

const adam = {
  betas: z.tuple([beta, beta]).default([0.5, 0.9]),
  eps: positive.default(1e-8),
  /** Largest global norm of the gradient; null: any. */
  clip: positive.nullable().default(null),
};
const course = {
  kind: z.enum(['cosine', 'constant']).default('cosine'),
  /** Steps. DualToken's are 10,000 of 400,000. */
  warmup: z.int().min(0).default(100),
};

export const optimizerSchema = z.strictObject({
  kind: kind.default('adamw'),
  learningRate: positive.default(7.2e-5),
  ...adam,
  /** Of matrices; norms and biases have none. */
  weightDecay: decay.default(1e-4),
});
export const scheduleSchema = z.strictObject({
  ...course,
  /** Where the cosine ends: the rate that a step after the last would have. */
  final: z.number().min(0).default(0),
});

/** Adam without decay, and a schedule from the discriminator's own start (section 3.2). */
export const discriminatorSchema = z.strictObject({
  optimizer: z
    .strictObject({
      kind: kind.default('adam'),
      /** Null: the model's. */
      learningRate: positive.nullable().default(null),
      ...adam,
      weightDecay: decay.default(0),
    })
    .prefault({}),
  schedule: z
    .strictObject({
      ...course,
      /** Where the cosine ends. Null: 4e-5, or the peak where that is lower. */
      final: z.number().min(0).nullable().default(null),
    })
    .prefault({}),
});

interface Rates {
  readonly optimizer: z.output<typeof optimizerSchema>;
  readonly schedule: z.output<typeof scheduleSchema>;
  readonly discriminator: z.output<typeof discriminatorSchema>;
}

/** The discriminator's learning rates, those that are not stated by the model's. */
export const discriminatorRates = ({
  optimizer,
  discriminator,
}: Pick<Rates, 'optimizer' | 'discriminator'>): { readonly peak: number; readonly final: number } => {
  const peak = discriminator.optimizer.learningRate ?? optimizer.learningRate;
  return { peak, final: discriminator.schedule.final ?? Math.min(4e-5, peak) };
};

/** Each learning rate that would climb to its end. */
export const rateFaults = ({ optimizer, schedule, discriminator }: Rates): readonly string[] => {
  const rival = discriminatorRates({ optimizer, discriminator });
  const courses = [
    { at: 'schedule', kind: schedule.kind, peak: optimizer.learningRate, final: schedule.final },
    { at: 'discriminator.schedule', kind: discriminator.schedule.kind, ...rival },
  ];
  return courses.flatMap(({ at, kind: of, peak, final }) =>
    of === 'cosine' && final > peak
      ? [`${at}.final ${final} is above the learning rate that it falls from, ${peak}: lower it, or leave it out`]
      : [],
  );
};
