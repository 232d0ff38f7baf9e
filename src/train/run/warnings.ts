// What is said of a run before its first step though it may begin: what will learn less than was meant.

import type { Shapes } from '../../checkpoints/index.ts';
import { namedSpecs } from '../../dsl/param.ts';
import type { Loss } from '../../models/losses/index.ts';
import type { TokenizerSystem } from '../../models/systems/index.ts';
import { sections } from '../trainer/index.ts';

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
