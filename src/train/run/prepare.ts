// What a run needs before its first step: its task, the values that it starts from, and captions as token ids.
import * as E from 'fp-ts/lib/Either.js';
import type * as TE from 'fp-ts/lib/TaskEither.js';
import {
  filesOf,
  hostSource,
  joinSources,
  loadMobileNetV2,
  loadPerceptual,
  type NamedTensors,
  type TensorSource,
  textTokenizerFault,
} from '../../checkpoints/index.ts';
import {
  type Batch,
  concatDatasets,
  type DataError,
  type ImageDataset,
  openDataset,
  openTextTokenizer,
  renderDataError,
} from '../../data/index.ts';
import type { TokenizerSystem } from '../../models/systems/index.ts';
import { textOf, type Variant } from '../../models/variants/index.ts';
import type { Datasets, TrainConfig } from '../config/index.ts';
import { TrainFailure } from '../failure.ts';
import { tokenizerTask } from '../tasks/index.ts';
import { type ImageBatch, sections } from '../trainer/index.ts';
import { type Started, startingWeights } from './starting-weights.ts';
import { drawnTowers } from './warnings.ts';

/** @throws TrainFailure with what is wrong with a user's file */
export const need = async <A>(work: TE.TaskEither<DataError, A>): Promise<A> => {
  const result = await work();
  if (E.isLeft(result)) throw new TrainFailure(renderDataError(result.left));
  return result.right;
};

/** Whether a variant learns from captions: they are read by no other. */
export const learnsFromCaptions = ({ losses }: Pick<Variant, 'losses'>): boolean =>
  losses.some(({ kind }) => kind === 'contrastive');

/** The data sets of a configuration as one; `captions` false: those of folders are not looked for. Throws TrainFailure. */
export const openData = async (spec: Datasets, captions: boolean): Promise<ImageDataset> => {
  const parts = await Promise.all([spec].flat().map((one) => need(openDataset(one, { captions }))));
  return parts.length === 1 ? parts[0]! : concatDatasets(parts.map(({ path }) => path).join(', '), parts);
};

const under = (prefix: string, tensors: NamedTensors): TensorSource =>
  hostSource(new Map([...tensors].map(([name, t]) => [`${prefix}${name}`, t])));

/** The task of a variant, and the values that files give its parameters, frozen ones included. Throws TrainFailure. */
export const prepareTask = async <P, Q, T>(
  system: TokenizerSystem<P, Q, T>,
  variant: Variant,
  config: Pick<TrainConfig, 'weights' | 'microBatches' | 'checkpointing'>,
  log: (line: string) => void,
) => {
  const { weights, microBatches, checkpointing } = config;
  const { losses } = variant;
  const perceptual = losses.find((l) => l.kind === 'perceptual');
  const teaching = losses.some((l) => l.kind === 'teacher');
  if (perceptual && weights.perceptual === undefined)
    throw new TrainFailure(
      `the loss 'perceptual' (${perceptual.net}) asks for its network's weights: name their files in weights.perceptual, or leave the loss out`,
    );
  const networks = [weights.perceptual ?? []].flat();
  if (perceptual && networks.length > filesOf(perceptual.net))
    throw new TrainFailure(
      `weights.perceptual names ${networks.length} files; '${perceptual.net}' takes ${filesOf(perceptual.net) === 1 ? 'one, its weights' : 'two at most, its backbone and its heads'}`,
    );
  if (teaching && weights.teacher === undefined)
    throw new TrainFailure("the loss 'teacher' asks for its network: name its folder in weights.teacher");
  const teacher = teaching && weights.teacher !== undefined ? await need(loadMobileNetV2(weights.teacher)) : null;
  const width = teacher?.tensors.get('classifier.weight')?.shape[1];
  if (teacher && variant.family === 'tower' && variant.config.teacher !== width)
    throw new TrainFailure(
      `${weights.teacher} has ${width} features, the model a map to ${variant.config.teacher}: set model.teacher to ${width}`,
    );
  const text = variant.family === 'dualtoken' ? variant.config.text : undefined;
  const task = tokenizerTask(system, losses, { microBatches, remat: checkpointing, text, teacher: teacher?.config });
  const seen = perceptual ? await need(loadPerceptual(perceptual.net, networks)) : null;
  const started: Started[] = [];
  for (const path of [weights.model ?? []].flat()) {
    const one = await need(startingWeights(path, variant, task, system.stateSpec));
    log(`${path}: ${one.found} of ${one.of} parameters`);
    for (const grids of one.resized) log(`${path}: positions resized from ${grids}`);
    started.push(one);
  }
  const anew = started[0]?.missing.filter((part) => started.every(({ missing }) => missing.includes(part))) ?? [];
  if (anew.length > 0) log(`anew: ${anew.join(', ')}`);
  const init = joinSources(
    ...started.map(({ tensors }) => tensors),
    ...(seen ? [under(`${sections.frozen}perceptual.`, seen)] : []),
    ...(teacher ? [under(`${sections.frozen}teacher.`, teacher.tensors)] : []),
  );
  for (const line of drawnTowers(task, losses, init)) log(`warning: ${line}`);
  return { task, init };
};

/** Captions as the ids that a text tower takes; null for a run without captions. Throws TrainFailure. */
export const captionIds = async (
  { data }: Pick<TrainConfig, 'data'>,
  variant: Variant,
  files: Pick<ImageDataset, 'path' | 'captionsOf'>,
): Promise<((batch: Batch) => ImageBatch) | null> => {
  if (!learnsFromCaptions(variant)) return null;
  if (data.tokenizer === undefined)
    throw new TrainFailure("the loss 'contrastive' asks for captions as ids: name a tokenizer in data.tokenizer");
  if (files.captionsOf === undefined)
    throw new TrainFailure(`the loss 'contrastive' asks for captions, and ${files.path} has none`);
  const { vocab_size: words = 0, max_position_embeddings: length = 0 } = textOf(variant) ?? {};
  const tokenizer = await need(openTextTokenizer(data.tokenizer, data.tokenizerOf, length));
  const end = variant.family === 'clip' ? variant.config.text_config.eos_token_id : undefined;
  const fault = textTokenizerFault(tokenizer, { vocabulary: words, end });
  if (fault === 'vocabulary')
    throw new TrainFailure(
      `${data.tokenizer} makes ids below ${tokenizer.vocabulary}; the text tower has a vocabulary of ${words}`,
    );
  if (fault === 'end')
    throw new TrainFailure(
      `${data.tokenizer} ends texts with the id ${tokenizer.end}, and the text tower reads its feature at the id ${end}: name CLIP's vocabulary, or set text_config.eos_token_id`,
    );
  return (batch) => {
    const ids = new Int32Array(batch.count * tokenizer.length);
    for (const [i, caption] of batch.captions.entries()) ids.set(tokenizer.encode(caption ?? ''), i * tokenizer.length);
    return { ...batch, ids };
  };
};
