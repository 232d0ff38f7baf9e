// What is said of a run before its first step though it may begin: what will learn less than was meant.

import type { Shapes } from '../../checkpoints/index.ts';
import { namedSpecs } from '../../dsl/param.ts';
import type { Loss } from '../../models/losses/index.ts';
import type { TokenizerSystem } from '../../models/systems/index.ts';
import { type Layouts, sections } from '../trainer/index.ts';

/**
 * Codebooks that see fewer vectors than they have codes before a code without any is replaced, which it then is again and again (section
 * 2.5): those of a step's `pictures`.
 */
export const fewVectors = (
  {
    grid,
    vocabularies,
    restarts,
  }: Pick<TokenizerSystem<unknown, unknown, unknown>, 'grid' | 'vocabularies' | 'restarts'>,
  pictures: number,
  still: (path: string) => boolean,
): readonly string[] =>
  Object.entries(vocabularies).flatMap(([name, codes]) => {
    const restart = restarts[name];
    if (!restart || still(`${restart.book}.codebook`)) return [];
    const vectors = pictures * grid * grid * restart.vectors;
    return vectors >= codes
      ? []
      : [
          `the ${name} codebook replaces each code that none of ${vectors} vectors takes, and has ${codes} codes: many are replaced all the time. Use larger batches, or fewer codes`,
        ];
  });

/** Losses that compare the pictures of one forward with each other, where a step has several. */
export const fewNegatives = (
  { losses }: { readonly losses: readonly Loss[] },
  { batchSize, microBatches }: { readonly batchSize: number; readonly microBatches: number },
): readonly string[] =>
  microBatches > 1 && losses.some(({ kind }) => kind === 'contrastive')
    ? [
        `'contrastive' has negatives within one micro-batch alone: each picture is told from the others of its batchSize ${batchSize}, not from all ${batchSize * microBatches} of a step. Where memory allows, use a larger batchSize and fewer microBatches`,
      ]
    : [];

/** Frozen towers that no file gives values: what losses hold to them says nothing. */
export const drawnTowers = (
  { frozenSpec }: { readonly frozenSpec: unknown },
  losses: readonly Loss[],
  given: Shapes,
): readonly string[] => {
  const drawn = (tower: string): boolean => {
    const paths = namedSpecs(frozenSpec).flatMap(({ path }) => (path.startsWith(tower) ? [path] : []));
    return paths.length > 0 && !paths.some((path) => given.shapes.has(`${sections.frozen}${path}`));
  };
  const held = losses.flatMap(({ kind }) => (kind === 'deep' || kind === 'pooled' ? [`'${kind}'`] : []));
  return [
    ...(drawn('siglip_model.text_model.')
      ? [
          "the frozen text tower is drawn at random: 'contrastive' holds pictures to embeddings that say nothing of their captions. Name a file that has the text tower in weights.model, or leave the loss out",
        ]
      : []),
    ...(drawn('siglip_model.vision_model.')
      ? [
          `the frozen tower is drawn at random: ${held.join(' and ')} hold${held.length === 1 ? 's' : ''} features to those of a tower that has learned nothing. Name a trained one in weights.model, or leave ${held.length === 1 ? 'the loss' : 'both losses'} out`,
        ]
      : []),
  ];
};

/** A model's own tower, of which nothing is trained and that no file gives values: nothing made of its features means anything. */
export const stillTower = ({ params, fixed }: Layouts<unknown>, given: Shapes): readonly string[] => {
  const pathsIn = ({ groups }: Layouts<unknown>['fixed']): readonly string[] =>
    groups
      .flatMap(({ entries }) => entries.map(({ path }) => path))
      .filter((path) => /^(siglip_model\.)?vision_model\./.test(path));
  const still = pathsIn(fixed);
  return still.length === 0 || pathsIn(params).length > 0 || still.some((path) => given.shapes.has(path))
    ? []
    : [
        "the model's own tower is drawn at random and frozen: its features, and codes of them, say nothing of pictures. Name a trained one in weights.model, or do not freeze it",
      ];
};
