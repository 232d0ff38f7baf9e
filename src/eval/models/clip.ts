// CLIP as an evaluated model, from checkpoint folders in Hugging Face's layout.
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { placeStored } from '../../checkpoints/index.ts';
import { clipNormalisation, type DataError, openTextTokenizer } from '../../data/index.ts';
import type { Rank1 } from '../../dsl/shape.ts';
import { clipText, clipVision } from '../../models/clip.ts';
import { parseClipConfig } from '../../models/hf-config.ts';
import { linear } from '../../models/nn/linear.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { parseConfig, shortName } from './checkpoint-folder.ts';
import { compiledModel } from './compiled.ts';
import type { EvaluatedModel, OpenTextTower } from './evaluated-model.ts';
import { embedBy } from './text-tower.ts';

/** The vision tower: `pooled` is the class token's feature, `embedding` its projection. */
export const openClip = (runtime: Runtime, folder: string, json: unknown): TE.TaskEither<DataError, EvaluatedModel> =>
  pipe(
    TE.fromEither(parseConfig(folder, parseClipConfig)(json)),
    TE.chain(({ vision_config: c, projection_dim: width }) => {
      const tower = clipVision(c);
      const project = linear<Rank1>(c.hidden_size, width, { bias: false });
      const spec = { vision_model: tower.spec, visual_projection: project.spec };
      return pipe(
        placeStored(runtime, folder, spec, { ignore: (name) => /^(text_|logit_scale)/.test(name) }),
        TE.map((placed) =>
          compiledModel(
            runtime,
            spec,
            placed,
            {
              name: shortName(folder),
              family: 'CLIP',
              size: c.image_size,
              transform: { kind: 'centre-crop', size: c.image_size },
              normalisation: clipNormalisation,
              outputs: {
                pooled: { kind: 'features', width: c.hidden_size },
                embedding: { kind: 'features', width },
              },
              embedding: 'embedding',
              textTower: folder,
            },
            (p, images) => {
              const { pooled } = tower.apply(p.vision_model)(images);
              return { pooled: () => pooled, embedding: () => project.apply(p.visual_projection)(pooled) };
            },
          ),
        ),
      );
    }),
  );

/** The text tower, with the tokenizer at `tokenizer`, by default the one in its folder. */
export const openClipText = (
  runtime: Runtime,
  folder: string,
  json: unknown,
  tokenizer = folder,
): TE.TaskEither<DataError, OpenTextTower> =>
  pipe(
    TE.fromEither(parseConfig(folder, parseClipConfig)(json)),
    TE.bindTo('c'),
    TE.bind('texts', ({ c }) => openTextTokenizer(tokenizer, 'clip', c.text_config.max_position_embeddings)),
    TE.chain(({ c: { text_config: c, projection_dim: width }, texts }) => {
      const tower = clipText(c);
      const project = linear<Rank1>(c.hidden_size, width, { bias: false });
      const spec = { text_model: tower.spec, text_projection: project.spec };
      return pipe(
        placeStored(runtime, folder, spec, { ignore: (name) => /^(vision_|visual_|logit_scale)/.test(name) }),
        embedBy(runtime, { texts, tokenizer, vocabulary: c.vocab_size, end: c.eos_token_id, width, spec }, (p, ids) =>
          project.apply(p.text_projection)(tower.apply(p.text_model)(ids)),
        ),
      );
    }),
  );
