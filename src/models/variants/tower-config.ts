// Configurations of a tower by itself, as checkpoints carry them and as JSON changes them.
import * as E from 'fp-ts/lib/Either.js';
import { z } from 'zod';
import { configFaults } from '../config-faults.ts';
import { textShape, visionShape } from '../hf-config.ts';
import type { TowerConfig } from '../tower.ts';

const vision = z.strictObject(visionShape);
const text = z.strictObject(textShape);
const teacher = z.int().positive();
const whole = z.strictObject({ vision, text: text.optional(), teacher: teacher.optional() });
const changes = z.strictObject({
  vision: vision.partial().optional(),
  text: text.optional(),
  teacher: teacher.optional(),
});

const keys = Object.fromEntries(Object.keys(visionShape).map((key) => [key, 0]));
const example = { vision: keys, text: Object.fromEntries(Object.keys(textShape).map((key) => [key, 0])), teacher: 0 };

const checked = (config: TowerConfig): E.Either<readonly string[], TowerConfig> => {
  const { hidden_size: width, num_attention_heads: heads } = config.vision;
  return width % heads === 0
    ? E.right(config)
    : E.left([`vision.hidden_size ${width} does not divide into ${heads} heads`]);
};

/** A whole configuration. Left: every fault with its path. */
export const parseTower = (json: unknown): E.Either<readonly string[], TowerConfig> => {
  const read = whole.safeParse(json);
  return read.success ? checked(read.data) : E.left(configFaults(read.error, example));
};

/** `base` with changes. Left: every fault with its path. */
export const parseTowerChanges = (base: TowerConfig, json: unknown): E.Either<readonly string[], TowerConfig> => {
  const read = changes.safeParse(json);
  if (!read.success) return E.left(configFaults(read.error, example));
  const stated = Object.fromEntries(Object.entries(read.data.vision ?? {}).filter(([, value]) => value !== undefined));
  return checked({
    vision: { ...base.vision, ...stated },
    text: read.data.text ?? base.text,
    teacher: read.data.teacher ?? base.teacher,
  });
};
