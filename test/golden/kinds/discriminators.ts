// Discriminators with the parameters of the case, and their losses.
import { reshape } from '../../../src/dsl/ops/movement.ts';
import { patchDiscriminator } from '../../../src/models/discriminators/patch.ts';
import { residualDiscriminator } from '../../../src/models/discriminators/residual.ts';
import { generatorLoss, leakyHingeLoss } from '../../../src/models/losses/adversarial.ts';
import { paramsFrom, rank4 } from '../../support/params.ts';
import { type GoldenCase, inputOf, setting } from '../case.ts';
import type { Kind } from '../kind.ts';

/** Sizes as the parameters of the case have them; `layers` are told by the name of one of their parameters. */
const sizesOf = (c: GoldenCase, ofLayer: RegExp) => {
  const [channels, in_channels] = c.model.get('main.0.weight')!.shape;
  return {
    channels: channels!,
    in_channels: in_channels!,
    layers: [...c.model.keys()].filter((name) => ofLayer.test(name)).length,
  };
};

export const residualDiscriminatorKind: Kind = (c, evaluate) => {
  const sizes = sizesOf(c, /\.norm1\.weight$/);
  const model = residualDiscriminator({ ...sizes, groups: setting(c, 'groups', 32) });
  const judge = model.forward(paramsFrom(model.spec, c.model), {});
  const [real, fake] = [judge(rank4(inputOf(c, 'real'))).logits, judge(rank4(inputOf(c, 'fake'))).logits];
  return evaluate({
    logits_real: real,
    logits_fake: fake,
    d_loss: reshape(leakyHingeLoss(real, fake), [1]),
    g_loss: reshape(generatorLoss(fake), [1]),
  });
};

const isStatistic = (name: string): boolean => /\.(running_mean|running_var)$/.test(name);

export const patchDiscriminatorKind: Kind = (c, evaluate) => {
  const model = patchDiscriminator(sizesOf(c, /\.running_mean$/));
  const params = paramsFrom(model.spec, c.model, { ignore: isStatistic });
  const state = paramsFrom(model.stateSpec, c.model, { ignore: (name) => !isStatistic(name) });
  return evaluate({ logits: model.forward(params, state)(rank4(inputOf(c, 'x'))).logits });
};
