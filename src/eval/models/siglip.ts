// SigLIP and SigLIP 2 as evaluated models, from checkpoint folders in Hugging Face's layout.
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { placeStored } from '../../checkpoints/index.ts';
import { type DataError, openTextTokenizer, toUnit } from '../../data/index.ts';
import { mean } from '../../dsl/ops/reduce.ts';
import { parseSiglipConfig } from '../../models/hf-config.ts';
import { siglipText, siglipVision } from '../../models/siglip.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { parseConfig, shortName } from './checkpoint-folder.ts';
import { compiledModel } from './compiled.ts';
import type { EvaluatedModel, OpenTextTower } from './evaluated-model.ts';
import { embedBy } from './text-tower.ts';

const outside = (prefixes: readonly string[]) => (name: string) => !prefixes.some((prefix) => name.startsWith(prefix));

/** The vision tower: `pooled` is its image embedding, `mean` the average of its last hidden state over positions. */
export const openSiglip = (runtime: Runtime, folder: string, json: unknown): TE.TaskEither<DataError, EvaluatedModel> =>
  pipe(
    TE.fromEither(parseConfig(folder, parseSiglipConfig)(json)),
    TE.chain(({ vision_config: c }) => {
      const tower = siglipVision(c);
      const spec = { vision_model: tower.spec };
      return pipe(
        placeStored(runtime, folder, spec, { ignore: outside(['vision_model.']) }),
        TE.map((placed) =>
          compiledModel(
            runtime,
            spec,
            placed,
            {
              name: shortName(folder),
              family: 'SigLIP',
              size: c.image_size,
              transform: { kind: 'squash', size: c.image_size },
              normalisation: toUnit,
              outputs: {
                pooled: { kind: 'features', width: c.hidden_size },
                mean: { kind: 'features', width: c.hidden_size },
              },
              embedding: 'pooled',
              textTower: folder,
            },
            (p, images) => {
              const { pooled, lastHiddenState } = tower.apply(p.vision_model)(images);
              return { pooled: () => pooled, mean: () => mean(lastHiddenState, 1) };
            },
          ),
        ),
      );
    }),
  );

/** The text tower, with the tokenizer at `tokenizer`, by default the one in its folder. */
export const openSiglipText = (
  runtime: Runtime,
  folder: string,
  json: unknown,
  tokenizer = folder,
): TE.TaskEither<DataError, OpenTextTower> =>
  pipe(
    TE.fromEither(parseConfig(folder, parseSiglipConfig)(json)),
    TE.bindTo('c'),
    TE.bind('texts', ({ c }) => openTextTokenizer(tokenizer, 'siglip', c.text_config.max_position_embeddings)),
    TE.chain(({ c: { text_config: c }, texts }) => {
      const width = c.projection_size ?? c.hidden_size;
      const tower = siglipText(c, width);
      const spec = { text_model: tower.spec };
      return pipe(
        placeStored(runtime, folder, spec, { ignore: outside(['text_model.']) }),
        embedBy(runtime, { texts, tokenizer, vocabulary: c.vocab_size, width, spec }, (p, ids) =>
          tower.apply(p.text_model)(ids),
        ),
      );
    }),
  );
