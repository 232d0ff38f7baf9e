// Retrieval among a data set's pictures and all their captions.
import * as E from 'fp-ts/lib/Either.js';
import { z } from 'zod';
import { renderDataError } from '../../data/error.ts';
import { captionsAt, type ImageDataset } from '../../data/index.ts';
import type { TextTower } from '../models/evaluated-model.ts';
import { type Retrieval, retrieval } from '../retrieval.ts';
import { EvalFailure, scored } from './failure.ts';
import { embeddingOf, featuresIn } from './features.ts';
import { addPart, countOf, type Gathered, gathered, vectorsOf } from './gathered.ts';
import { type Evaluation, overItems, overPictures } from './pass.ts';
import { f32, i32, json, readF32, readI32, readJsonBytes } from './tensors.ts';

export interface RetrievalReport extends Retrieval {
  /** Pictures that could not be read, or have no caption. */
  readonly skipped: number;
}

/** Texts that are embedded between two looks at whether to stop. */
const AT_ONCE = 64;

interface State {
  readonly images: Gathered;
  readonly captions: readonly string[];
  /** The place of each caption's picture. */
  readonly imageOf: readonly number[];
}

/** @throws EvalFailure for a model without embeddings, a width that is not the texts', a data set without captions; EvalStopped */
export const evaluateRetrieval = async (
  evaluation: Evaluation,
  dataset: ImageDataset,
  texts: TextTower,
  feature: string | null = evaluation.model.embedding,
): Promise<RetrievalReport> => {
  const { name, width } = embeddingOf(evaluation.model, texts, feature);
  if (dataset.captionsOf === undefined)
    throw new EvalFailure(
      `${dataset.path} has no captions: bring them from a file (COCO’s or Flickr8k’s), or put photo.txt beside photo.jpg`,
      'captions',
    );
  const passed = await overPictures<State>(evaluation, 'pictures', dataset, [name], {
    start: { images: gathered(width), captions: [], imageOf: [] },
    add: async (state, batch) => {
      const features = featuresIn(batch, name, width);
      const before = countOf(state.images);
      const kept: number[] = [];
      const found: (readonly string[])[] = [];
      for (const [n, index] of batch.indices.entries()) {
        const captions = await captionsAt(dataset, index)();
        if (E.isLeft(captions)) throw new EvalFailure(renderDataError(captions.left));
        if (captions.right.length === 0) {
          evaluation.log(`skipped: ${dataset.nameOf(index)} has no caption`);
          continue;
        }
        kept.push(n);
        found.push(captions.right);
      }
      const rows = kept.map((n) => features.values.subarray(n * width, (n + 1) * width));
      return {
        images: rows.reduce((images, row) => addPart(images, row), state.images),
        captions: [...state.captions, ...found.flat()],
        imageOf: [...state.imageOf, ...found.flatMap((list, n) => list.map(() => before + n))],
      };
    },
    save: ({ images, captions, imageOf }) =>
      new Map([
        ['images', f32(vectorsOf(images).values)],
        ['captions', json(captions)],
        ['imageOf', i32(imageOf)],
      ]),
    load: (tensors) => ({
      images: gathered(width, readF32(tensors, 'images')),
      captions: z.array(z.string()).parse(readJsonBytes(tensors, 'captions')),
      imageOf: [...readI32(tensors, 'imageOf')],
    }),
  });
  const { captions, imageOf } = passed.state;
  const images = vectorsOf(passed.state.images);
  if (images.count === 0) throw new EvalFailure(`none of the ${passed.used} pictures of ${dataset.path} has a caption`);
  const embedded = await overItems<Gathered>(evaluation, 'captions', captions.length, AT_ONCE, {
    start: gathered(width),
    add: async (state, { from, next }) => addPart(state, (await texts.embed(captions.slice(from, next))).values),
    save: (state) => new Map([['texts', f32(vectorsOf(state).values)]]),
    load: (tensors) => gathered(width, readF32(tensors, 'texts')),
  });
  const scores = scored(() => retrieval(images, vectorsOf(embedded.state), imageOf));
  return { ...scores, skipped: passed.skipped + passed.used - images.count };
};
