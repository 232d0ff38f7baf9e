// Zero-shot classification: texts to one vector a class, pictures to the nearest of them.
import * as E from 'fp-ts/lib/Either.js';
import { renderDataError } from '../../data/error.ts';
import type { ImageDataset } from '../../data/index.ts';
import type { TextTower } from '../models/evaluated-model.ts';
import { type Accuracy, noAccuracy, shares } from '../ranks.ts';
import { addZeroShot, classVector } from '../zero-shot.ts';
import type { ClassPrompts } from './class-prompts.ts';
import { EvalFailure, scored } from './failure.ts';
import { embeddingOf, featuresIn } from './features.ts';
import { addPart, type Gathered, gathered, vectorsOf } from './gathered.ts';
import { checkLabels, labelsAmong, labelsIn } from './labels.ts';
import { type Evaluation, overItems, overPictures } from './pass.ts';
import { f32, f64, readF32, readF64 } from './tensors.ts';

export interface ZeroShotReport {
  readonly pictures: number;
  readonly skipped: number;
  readonly classes: number;
  readonly templates: number;
  /** Shares from 0 to 1. */
  readonly top1: number;
  readonly top5: number;
}

const KS = [1, 5] as const;

/** @throws EvalFailure for a model without embeddings, a width that is not the texts', pictures without labels; EvalStopped */
export const evaluateZeroShot = async (
  evaluation: Evaluation,
  dataset: ImageDataset,
  prompts: ClassPrompts,
  texts: TextTower,
  feature: string | null = evaluation.model.embedding,
): Promise<ZeroShotReport> => {
  const { name, width } = embeddingOf(evaluation.model, texts, feature);
  const { classes, templates, aliases } = prompts;
  const placeOf = labelsAmong(dataset, classes, aliases);
  if (E.isLeft(placeOf)) throw new EvalFailure(renderDataError(placeOf.left));
  await checkLabels(evaluation, dataset, (label) =>
    placeOf.right(label) < classes.length
      ? null
      : `has class ${label}, numbered from 0; the file of classes names ${classes.length}`,
  );
  const named = await overItems<Gathered>(evaluation, 'classes', classes.length, 1, {
    start: gathered(width),
    add: async (state, { from }) => {
      const sentences = templates.map((template) => template.replaceAll('{}', classes[from]!));
      const embedded = await texts.embed(sentences);
      return addPart(
        state,
        scored(() => classVector(embedded)),
      );
    },
    save: (state) => new Map([['vectors', f32(vectorsOf(state).values)]]),
    load: (tensors) => gathered(width, readF32(tensors, 'vectors')),
  });
  const vectors = vectorsOf(named.state);
  const { state, used, skipped } = await overPictures<Accuracy>(evaluation, 'pictures', dataset, [name], {
    start: noAccuracy(KS),
    add: async (state, batch) => {
      const images = { ...featuresIn(batch, name, width), labels: labelsIn(dataset, batch).map(placeOf.right) };
      return scored(() => addZeroShot(state, images, vectors));
    },
    save: ({ count, hits }) => new Map([['hits', f64([count, ...hits.map(({ sum }) => sum)])]]),
    load: (tensors) => {
      const [count = 0, ...sums] = readF64(tensors, 'hits');
      return { count, hits: KS.map((k, n) => ({ k, sum: sums[n] ?? 0 })) };
    },
  });
  const [top1, top5] = shares(state);
  return {
    pictures: used,
    skipped,
    classes: classes.length,
    templates: templates.length,
    top1: top1!.share,
    top5: top5!.share,
  };
};
