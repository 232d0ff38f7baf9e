// A tokenizer file of this project, of any family, as an evaluated model; and the text tower that some families train beside it.
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { modelIn, normalisationOf, type Placed, placeStored, tokenizerSpec } from '../../checkpoints/index.ts';
import { type DataError, tokenizerError } from '../../data/error.ts';
import { openTextTokenizer } from '../../data/index.ts';
import type { ParamsOf } from '../../dsl/param.ts';
import type { Rank2 } from '../../dsl/shape.ts';
import type { Tensor } from '../../dsl/tensor.ts';
import { clipParts } from '../../models/clip.ts';
import type { TextConfig } from '../../models/hf-config.ts';
import type { Ids } from '../../models/nn/embedding.ts';
import { publishedLayout } from '../../models/published.ts';
import { type Images, siglipText } from '../../models/siglip.ts';
import type { TokenizerSystem } from '../../models/systems/index.ts';
import type { VariantModel } from '../../models/variants/index.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { shortName } from './checkpoint-folder.ts';
import { compiledModel, type Expressions } from './compiled.ts';
import type { EvaluatedModel, OpenTextTower, Output } from './evaluated-model.ts';
import { embedBy } from './text-tower.ts';
import { type TokenizerFeatures, withFeatures } from './tokenizer-features.ts';

const outputsOf = <P, Q, T>(
  { decode, vocabularies }: TokenizerSystem<P, Q, T>,
  { widths }: TokenizerFeatures<P, T>,
): Readonly<Record<string, Output>> => ({
  ...(decode === null ? {} : { reconstruction: { kind: 'reconstruction' } }),
  ...Object.fromEntries(Object.entries(vocabularies).map(([name, codes]) => [name, { kind: 'codes', codes }])),
  ...Object.fromEntries(Object.entries(widths).map(([name, width]) => [name, { kind: 'features', width }])),
});

const evaluated = <P, Q, T>(
  runtime: Runtime,
  path: string,
  model: VariantModel,
  placed: Placed,
  system: TokenizerSystem<P, Q, T>,
  features: TokenizerFeatures<P, T>,
): EvaluatedModel => {
  const spec = { params: system.spec, tables: system.tablesSpec };
  const forward = ({ params, tables }: ParamsOf<typeof spec>, images: Images): Expressions => {
    const { decode, encode, vocabularies } = system;
    const codes = encode(params, tables)(images);
    const painted = () => {
      const { pixel } = codes;
      if (decode === null || pixel === undefined) throw new Error('only models with pixel codes and a decoder paint');
      return decode(params, tables)(pixel);
    };
    return {
      reconstruction: painted,
      ...Object.fromEntries(Object.keys(vocabularies).map((name) => [name, () => codes[name]!])),
      ...features.of(params, tables)(images),
    };
  };
  return compiledModel(
    runtime,
    spec,
    // One flat file of parameters and tables.
    new Map([...placed].flatMap(([name, t]) => [[`params.${name}`, t] as const, [`tables.${name}`, t] as const])),
    {
      name: shortName(path),
      family: model.family,
      size: system.size,
      transform: { kind: 'centre-crop', size: system.size },
      normalisation: normalisationOf(model),
      outputs: outputsOf(system, features),
      embedding: features.embedding,
      textTower: system.text === null ? null : path,
    },
    forward,
  );
};

/**
 * A tokenizer. Outputs: `reconstruction`; codes `pixel` and `semantic`; features `pooled` (after the semantic codes), `pooled-continuous`
 * (without them), `pixel-codes` and `semantic-codes`. Left: the file cannot be read, or does not fit its own configuration.
 */
export const openTokenizerModel = (runtime: Runtime, path: string): TE.TaskEither<DataError, EvaluatedModel> =>
  pipe(
    modelIn(path),
    TE.bindTo('model'),
    TE.bind('placed', ({ model }) => placeStored(runtime, path, tokenizerSpec(model), publishedLayout(model))),
    TE.map(({ model, placed }) =>
      withFeatures(model, (system, features) => evaluated(runtime, path, model, placed, system, features)),
    ),
  );

interface TextPart<P> {
  /** Whose rules make ids of texts; undefined: told by the vocabulary, as in training. */
  readonly family?: 'clip';
  readonly end?: number;
  readonly config: Pick<TextConfig, 'max_position_embeddings' | 'vocab_size'>;
  readonly width: number;
  readonly spec: P;
  readonly forward: (params: ParamsOf<P>, ids: Ids) => Tensor<Rank2>;
}

type OpenText = (runtime: Runtime, path: string, tokenizer: string) => TE.TaskEither<DataError, OpenTextTower>;

const opening =
  <P>({ family, end, config, width, spec, forward }: TextPart<P>): OpenText =>
  (runtime, path, tokenizer) =>
    pipe(
      openTextTokenizer(tokenizer, family, config.max_position_embeddings),
      TE.chain((texts) =>
        pipe(
          placeStored(runtime, path, spec, { ignore: () => true }),
          embedBy(runtime, { texts, tokenizer, vocabulary: config.vocab_size, end, width, spec }, forward),
        ),
      ),
    );

/** Opens what a family trains for texts beside its tower; null where it trains none. */
const textPart = (model: VariantModel): OpenText | null => {
  if (model.family === 'tower' && model.config.text !== undefined) {
    const { text, vision } = model.config;
    const tower = siglipText(text, vision.hidden_size);
    return opening({
      config: text,
      width: vision.hidden_size,
      spec: { siglip_model: { text_model: tower.spec } },
      forward: (p, ids) => tower.apply(p.siglip_model.text_model)(ids),
    });
  }
  if (model.family === 'clip') {
    const { text_model: tower, text_projection: project } = clipParts(model.config);
    return opening({
      family: 'clip',
      end: model.config.text_config.eos_token_id,
      config: model.config.text_config,
      width: model.config.projection_dim,
      spec: { text_model: tower.spec, text_projection: project.spec },
      forward: (p, ids) => pipe(ids, tower.apply(p.text_model), project.apply(p.text_projection)),
    });
  }
  return null;
};

/** The text tower that was trained beside a tower, with the tokenizer at `tokenizer`. Left: the file holds none, or does not fit. */
export const openTokenizerText = (
  runtime: Runtime,
  path: string,
  tokenizer: string | undefined,
): TE.TaskEither<DataError, OpenTextTower> =>
  pipe(
    modelIn(path),
    TE.chain((model) => {
      const open = textPart(model);
      if (open === null)
        return TE.left(tokenizerError(path, 'it holds no text tower: open one from a checkpoint folder'));
      if (tokenizer === undefined)
        return TE.left(tokenizerError(path, "its texts’ tokenizer is not in the file: give its path as 'tokenizer'"));
      return open(runtime, path, tokenizer);
    }),
  );
