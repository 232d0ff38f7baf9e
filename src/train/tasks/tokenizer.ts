// Training a tokenizer: what is learned, what stays frozen, and its losses, as its variant lists them.

import { perceptualNet } from '../../checkpoints/index.ts';
import { giveParts, partsSpec } from '../../dsl/compose.ts';
import { initParams, zerosInit } from '../../dsl/init.ts';
import { scalar } from '../../dsl/ops/create.ts';
import { add, mul, sub } from '../../dsl/ops/elementwise.ts';
import { resizeBilinear } from '../../dsl/ops/resize.ts';
import { namedSpecs, type ParamsOf, weight } from '../../dsl/param.ts';
import type { Rank2, Rank4 } from '../../dsl/shape.ts';
import { anySize, type ScalarTensor, type Tensor } from '../../dsl/tensor.ts';
import { stopGradient } from '../../dsl/transform/index.ts';
import type { TrainingOptions } from '../../models/dualtoken.ts';
import {
  type MobileNetV2Config,
  mobileNetV2,
  mobileNetV2Default,
  mobileNetV2Input,
} from '../../models/features/index.ts';
import type { TextConfig } from '../../models/hf-config.ts';
import {
  isPlain,
  type Loss,
  type LossOf,
  meanCosine,
  sigmoidContrastive,
  softmaxContrastive,
  termOf,
  totalLoss,
} from '../../models/losses/index.ts';
import type { Ids } from '../../models/nn/embedding.ts';
import { similarity } from '../../models/nn/similarity.ts';
import { codebookUse } from '../../models/quantisers/usage.ts';
import { siglipText, siglipVision } from '../../models/siglip.ts';
import type { SystemOutputs, TextOutputs, TokenizerSystem } from '../../models/systems/index.ts';
import { TrainFailure } from '../failure.ts';
import { type AdversarySpec, type AdversaryState, adversaryOf } from './adversary.ts';
import { pictureLoss } from './picture.ts';
import type { Task } from './task.ts';

export interface TokenizerTaskOptions extends TrainingOptions {
  /** The frozen text tower of a contrastive loss. */
  readonly text?: TextConfig | undefined;
  /** The network of a teacher's loss; the published one of width 1. */
  readonly teacher?: MobileNetV2Config | undefined;
}

const find = <K extends Loss['kind']>(losses: readonly Loss[], kind: K): LossOf<K> | undefined =>
  losses.find((l): l is LossOf<K> => l.kind === kind);

/** What is frozen: the initial tower where a loss is held against it, the perceptual network, the text tower. */
const frozenParts = (
  {
    tower,
    ownText,
  }: { readonly tower: TokenizerSystem<unknown, unknown, unknown>['tower']; readonly ownText: boolean },
  losses: readonly Loss[],
  { text, teacher }: TokenizerTaskOptions,
) => {
  const distils = losses.some((l) => l.kind === 'deep' || l.kind === 'pooled');
  const perceptual = find(losses, 'perceptual');
  const contrasts = find(losses, 'contrastive') !== undefined && !ownText;
  if (contrasts && text === undefined)
    throw new TrainFailure("the loss 'contrastive' asks for a text tower, and the variant has none: set `text`");
  return {
    siglip_model: {
      vision_model: distils && tower ? siglipVision(tower.vision) : undefined,
      text_model: contrasts && text ? siglipText(text) : undefined,
      logit_scale: contrasts ? weight([1], zerosInit) : undefined,
      logit_bias: contrasts ? weight([1], zerosInit) : undefined,
    },
    perceptual: perceptual && perceptualNet(perceptual.net),
    teacher: find(losses, 'teacher') && mobileNetV2(teacher),
  };
};
type FrozenParts = ReturnType<typeof frozenParts>;
const frozenSpecOf = (parts: FrozenParts) => partsSpec(parts);
export type TokenizerFrozen = ReturnType<typeof frozenSpecOf>;
const frozenWith = (parts: FrozenParts, params: ParamsOf<TokenizerFrozen>) => giveParts(parts, params);
type Frozen = ReturnType<typeof frozenWith>;

/** Pictures against their captions, by the model's own text tower or by the frozen one. */
const contrastiveTerm = (
  { form }: LossOf<'contrastive'>,
  ownText: ((ids: Ids) => TextOutputs) | undefined,
  { siglip_model: { text_model: text, logit_scale: scale, logit_bias: bias } }: Frozen,
  pooled: Tensor<Rank2> | null,
  ids: Ids | null,
): ScalarTensor => {
  if (ids === null || pooled === null)
    throw new TrainFailure("the loss 'contrastive' asks for captions in the data, and for a semantic tap");
  const frozenText = () =>
    text && scale && bias ? { embeddings: text(ids), scale: anySize(scale), bias: anySize(bias) } : null;
  const words = ownText?.(ids) ?? frozenText();
  if (words === null) throw new TrainFailure("the loss 'contrastive' asks for a text tower");
  const { logitsPerImage } = similarity(pooled, words.embeddings, words.scale, words.bias);
  return form === 'softmax' ? softmaxContrastive(logitsPerImage) : sigmoidContrastive(logitsPerImage);
};

/** Features, by a map to the teacher's, against what the teacher makes of the same pictures; null without all of these. */
const teacherTerm = (
  { size = 224 }: LossOf<'teacher'>,
  config: MobileNetV2Config,
  { teacher }: Frozen,
  map: ((pooled: Tensor<Rank2>) => Tensor<Rank2>) | undefined,
  { images, pooled }: { readonly images: Tensor<Rank4>; readonly pooled: Tensor<Rank2> | null },
): ScalarTensor | null => {
  if (!teacher || !map || pooled === null) return null;
  const taught = teacher(mobileNetV2Input(config)(resizeBilinear(images, [size, size])));
  return sub(scalar(1), meanCosine(map(pooled), stopGradient(taught.pooled)));
};

/** Use and perplexity of each vocabulary, for the log. */
const usesOf = <Q>(
  { codes }: Pick<SystemOutputs<Q>, 'codes'>,
  vocabularies: Readonly<Record<string, number>>,
): Readonly<Record<string, ScalarTensor>> =>
  Object.fromEntries(
    Object.entries(vocabularies).flatMap(([name, size]) => {
      const found = codes[name];
      if (!found) return [];
      const { usage, perplexity } = codebookUse(found, size);
      return [
        [`usage.${name}`, usage],
        [`perplexity.${name}`, perplexity],
      ];
    }),
  );

/**
 * A task for `system` with the losses that its variant lists. The frozen tower has the names of the trained one, so the same seed, or
 * the same checkpoint, gives both the same values. @throws TrainFailure where a loss asks for what is not there
 */
export const tokenizerTask = <P, Q, T>(
  system: TokenizerSystem<P, Q, T>,
  losses: readonly Loss[],
  options: TokenizerTaskOptions = {},
): Task<P, TokenizerFrozen, ParamsOf<Q>, AdversarySpec, AdversaryState> => {
  const parts = frozenParts({ tower: system.tower, ownText: system.text !== null }, losses, options);
  const teaching = find(losses, 'teacher');
  const { teacher: config = mobileNetV2Default } = options;
  if (teaching && system.teacher === null)
    throw new TrainFailure(
      "the loss 'teacher' asks for a model with a map to the teacher's features: a tower's `teacher`",
    );
  const ofForward = totalLoss(
    losses
      .filter(isPlain)
      .filter(({ kind }) => kind !== 'pixel')
      .map(termOf),
  );
  const ofPicture = {
    pixel: find(losses, 'pixel'),
    perceptual: find(losses, 'perceptual'),
    adversarial: find(losses, 'adversarial'),
  };
  const contrastive = find(losses, 'contrastive');
  const statePaths = namedSpecs(system.stateSpec).map(({ path }) => path);

  return {
    spec: system.spec,
    frozenSpec: frozenSpecOf(parts),
    initExtra: (key) => initParams(system.stateSpec)({ key, path: '' }),
    adversary: ofPicture.adversarial ? adversaryOf(ofPicture.adversarial, options.microBatches) : null,
    loss: (params, { frozen, extra, batch: { images, ids }, key, adversary, still = () => false }) => {
      const m = frozenWith(parts, frozen);
      // A codebook learns as a whole.
      const books = new Set(statePaths.filter(still).map((path) => path.split('.')[0]!));
      const forward = (p: ParamsOf<P>) => system.forward(p, extra, key, { ...options, still: books })(images);
      const out = forward(params);
      const initial = m.siglip_model.vision_model?.(images);
      const plain = ofForward({
        ...out,
        deepTarget: (initial && system.tower && initial.hiddenStates[system.tower.semantic]) ?? null,
        pooledTarget: initial?.pooled ?? null,
      });

      const { reconstruction } = out;
      const last = system.last(params);
      const painted =
        reconstruction &&
        pictureLoss(ofPicture, {
          image: images,
          reconstruction,
          perceptual: m.perceptual,
          adversary,
          last: last && {
            weight: last,
            paint: (w) => forward(system.withLast(params, w)).reconstruction ?? reconstruction,
          },
        });

      const pairs = contrastive && contrastiveTerm(contrastive, system.text?.(params), m, out.pooled, ids);
      const lesson =
        teaching && teacherTerm(teaching, config, m, system.teacher?.(params), { images, pooled: out.pooled });
      const parted = [
        plain.total,
        ...(painted ? [painted.total] : []),
        ...(pairs && contrastive ? [mul(pairs, contrastive.weight)] : []),
        ...(lesson && teaching ? [mul(lesson, teaching.weight)] : []),
      ];
      return {
        total: parted.reduce((a, b) => add(a, b)),
        terms: {
          ...painted?.terms,
          ...plain.terms,
          ...(pairs ? { contrastive: pairs } : {}),
          ...(lesson ? { teacher: lesson } : {}),
          ...usesOf(out, system.vocabularies),
        },
        extra: out.state,
        pair: adversary && reconstruction ? { real: images, fake: stopGradient(reconstruction) } : null,
      };
    },
  };
};
