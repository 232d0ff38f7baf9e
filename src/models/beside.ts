// What published checkpoints hold beside a model's parameters.
import { match } from 'ts-pattern';
import type { DualTokenConfig } from './dualtoken-parts.ts';
import { isBuffer } from './load.ts';
import { magvit2 } from './magvit2.ts';
import { movqgan } from './movqgan.ts';
import type { VariantModel } from './variants/variant.ts';
import { vqgan } from './vqgan.ts';

/** A text tower, running means and aliases of codebooks, and VILA-U's depth transformer. */
const besideTokenizer = (name: string): boolean =>
  /^(rqtransformer\.|(siglip_model\.)?(text_model\.|logit_(scale|bias)$)|quantizer[a-z_]*\.(codebooks\.|embedEma$|clusterSize$))/.test(
    name,
  );

/** What of a whole tower lies behind the last tap, where the model ends there. */
const behindTaps = ({ taps: { pixel, semantic } }: DualTokenConfig, name: string): boolean => {
  if (semantic !== null) return false;
  const [, rest, block] =
    /^(?:siglip_model\.)?vision_model\.(encoder\.layers\.(\d+)|post_layernorm|head)\./.exec(name) ?? [];
  return rest !== undefined && Number(block ?? Infinity) >= (pixel ?? 0);
};

/** Whether it is the running average of a weight of Open-MAGVIT2's model, and not of its discriminator's. */
export const isAverage = (name: string): boolean => /^model_ema\.(en|de)coder/.test(name);

/** What a whole checkpoint holds beside what a model uses: the rest of the tower, the text tower, running means, networks of losses. */
export const besides = (model: VariantModel): ((name: string) => boolean) =>
  match(model)
    .with(
      { family: 'dualtoken' },
      ({ config }) =>
        (name: string) =>
          besideTokenizer(name) || behindTaps(config, name),
    )
    .with({ family: 'residual-movqgan' }, () => besideTokenizer)
    .with({ family: 'vqgan' }, () => vqgan.ignore)
    .with({ family: 'movqgan' }, () => movqgan.ignore)
    .with({ family: 'magvit2' }, () => (name: string) => magvit2.ignore(name) && !isAverage(name))
    .with({ family: 'tower' }, { family: 'clip' }, () => isBuffer)
    .exhaustive();
