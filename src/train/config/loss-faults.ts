// Whether a model has what its losses ask for: said before anything of a run is made.
import { perceptualFault } from '../../checkpoints/index.ts';
import { type Adversarial, adversarialOf, type Loss } from '../../models/losses/index.ts';
import { type TokenizerSystem, withSystem } from '../../models/systems/index.ts';
import { textOf, type Variant } from '../../models/variants/index.ts';

/** What a loss asks a model for, and the model has not; null: it has everything. */
const lackOf = <P, Q, T>(kind: Loss['kind'], system: TokenizerSystem<P, Q, T>, variant: Variant): string | null => {
  const lack = (has: boolean, what: string): string | null => (has ? null : what);
  switch (kind) {
    case 'pixel':
    case 'perceptual':
    case 'adversarial':
      return lack(system.decode !== null, 'a pixel decoder');
    case 'deep':
    case 'pooled':
      return lack(system.tower !== null, 'a semantic tap');
    case 'commitment':
      return lack(Object.keys(system.vocabularies).length > 0, 'codes');
    case 'entropy':
      return lack(variant.family === 'magvit2', 'a lookup-free quantiser');
    case 'contrastive': {
      const pools = system.tower !== null || variant.family === 'tower' || variant.family === 'clip';
      return (
        lack(pools, 'a pooled feature: a semantic tap') ?? lack(textOf(variant) !== undefined, 'a text tower: `text`')
      );
    }
    case 'teacher':
      return lack(system.teacher !== null, "a map to a teacher's features: a tower's `teacher`");
  }
};

/** Side of a PatchGAN's logits of pictures of side `size`. */
const patchSide = (size: number, layers: number): number =>
  Array.from({ length: layers }).reduce<number>((n) => Math.floor(n / 2), size) - 2;

const adversarialFaults = (
  { discriminator, channels, layers, adaptive }: Adversarial,
  size: number,
  losses: readonly Loss[],
): readonly string[] => [
  ...(discriminator === 'residual' && channels > 32 && channels % 32 !== 0
    ? [`channels ${channels} is not a multiple of the 32 groups of the discriminator's norms; up to 32 any number is`]
    : []),
  ...(discriminator === 'patch' && patchSide(size, layers) < 1
    ? [
        `the discriminator 'patch' of ${layers} layers has no logits for pictures of ${size} x ${size}: use fewer, or 'residual'`,
      ]
    : []),
  ...(adaptive && adaptive[0] > adaptive[1]
    ? [`adaptive [${adaptive.join(', ')}]: the lower bound is above the upper`]
    : []),
  ...(adaptive && !losses.some(({ kind }) => kind === 'pixel' || kind === 'perceptual')
    ? ["adaptive: there is neither 'pixel' nor 'perceptual' whose gradient it is weighed against; leave it out"]
    : []),
];

/** What pictures of a forward are too few for. */
export const batchFaults = ({ losses }: Pick<Variant, 'losses'>, batchSize: number): readonly string[] =>
  batchSize === 1 && losses.some(({ kind }) => kind === 'contrastive')
    ? [
        "losses: 'contrastive' tells the pictures of a micro-batch apart, and with batchSize 1 there is nothing to tell a picture from: set batchSize to 2 at least, or leave the loss out",
      ]
    : [];

/** Every reason why `variant` cannot be trained by its losses, a sentence each. */
export const lossFaults = (variant: Variant): readonly string[] =>
  withSystem(variant, (system) => {
    const { losses } = variant;
    if (losses.length === 0) return ['losses: there are none, so there is nothing to learn'];
    return losses.flatMap((loss, i) => {
      const lack = lackOf(loss.kind, system, variant);
      const small = loss.kind === 'perceptual' ? perceptualFault(loss.net, system.size) : null;
      return [
        ...(losses.findIndex(({ kind }) => kind === loss.kind) < i ? [`losses: '${loss.kind}' is there twice`] : []),
        ...(lack === null ? [] : [`losses: '${loss.kind}' asks for ${lack}, which the model has not; leave it out`]),
        ...(loss.kind === 'adversarial'
          ? adversarialFaults(adversarialOf(loss), system.size, losses).map(
              (fault) => `losses: '${loss.kind}': ${fault}`,
            )
          : []),
        ...(small === null ? [] : [`losses: '${loss.kind}': ${small}: use another network, or leave the loss out`]),
      ];
    });
  });
