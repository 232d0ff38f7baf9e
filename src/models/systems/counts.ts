// Numbers of parameters of a model, part by part, under the parts' names in a checkpoint.
import { sizeOf } from '../../dsl/core/node.ts';
import { namedSpecs } from '../../dsl/param.ts';
import type { VariantModel } from '../variants/variant.ts';
import { withSystem } from './index.ts';

/** `siglip_model.vision_model`, or the first part of any other path. */
const partOf = (path: string): string => {
  const [first, second] = path.split('.');
  return first === 'siglip_model' ? `${first}.${second}` : first!;
};

/** Values in each part of a model as it is used: of codebooks the tables alone, not the sums and counts that they learn by. */
export const partCounts = (model: VariantModel): Readonly<Record<string, number>> =>
  withSystem(model, ({ spec, tablesSpec }) => {
    const counts: Record<string, number> = {};
    for (const { path, spec: s } of [spec, tablesSpec].flatMap(namedSpecs)) {
      const part = partOf(path);
      counts[part] = (counts[part] ?? 0) + sizeOf(s.shape);
    }
    return counts;
  });

export type PartKind = 'vision' | 'text' | 'projections' | 'encoder' | 'decoder' | 'codebooks' | 'other';

/** What a part is, by its name: the published ones of all families. */
const kinds: readonly (readonly [RegExp, PartKind])[] = [
  [/^(siglip_model\.)?vision_model$/, 'vision'],
  [/^(siglip_model\.)?text_model$/, 'text'],
  [/^(prequant_|postquant_|post_quant_conv$|quant_conv$|(visual|text)_projection$)/, 'projections'],
  [/^quanti[sz]er?(_|$)/, 'codebooks'],
  [/^encoder$/, 'encoder'],
  [/^decoder$/, 'decoder'],
];
/** The kind of a part that `partCounts` names; 'other' for names that no family has. */
export const partKind = (part: string): PartKind => kinds.find(([name]) => name.test(part))?.[1] ?? 'other';
