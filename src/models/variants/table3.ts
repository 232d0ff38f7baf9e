// The rows of the paper's Table 3, which objective at which block, as changes of a tokenizer of any size; and the sweep of the pixel tap.
import { type Changes, variantOf } from './config.ts';
import { type DualTokenVariant, without } from './variant.ts';

const change = (base: DualTokenVariant, title: string, changes: Changes, losses = base.losses): DualTokenVariant => ({
  ...base,
  title: `${title}; ${base.title}`,
  config: variantOf(base.config, changes),
  losses,
});
/** Without what is held against the initial tower. */
const reconstructionAlone = (base: DualTokenVariant) => without(base.losses, 'deep', 'pooled');

/** Initial state, quantised: the tower as it started, and codes of its deep features: a codebook learns, and nothing else. */
export const initialQuantised = (base: DualTokenVariant): DualTokenVariant => ({
  ...change(
    base,
    'initial state, quantised',
    { taps: { pixel: null }, projection: 'none', quantiser: { dim: base.config.vision.hidden_size } },
    without(base.losses, 'pixel', 'perceptual', 'adversarial', 'deep', 'pooled'),
  ),
  freeze: ['**'],
});

/** (a) Recon 26 + Sem 26: one deep tap, one codebook for both. */
export const rowA = (base: DualTokenVariant): DualTokenVariant =>
  change(base, 'Table 3 (a)', { taps: { pixel: base.config.taps.semantic }, vocabularies: 1 });

/** (b) Recon 26: the deep tap for pixels alone. */
export const rowB = (base: DualTokenVariant): DualTokenVariant =>
  change(
    base,
    'Table 3 (b)',
    { taps: { pixel: base.config.taps.semantic, semantic: null } },
    reconstructionAlone(base),
  );

/** (c) Recon 6: the shallow tap for pixels alone. */
export const rowC = (base: DualTokenVariant): DualTokenVariant =>
  change(base, 'Table 3 (c)', { taps: { semantic: null } }, reconstructionAlone(base));

/** (d) Recon 6 + Sem 26: DualToken. */
export const rowD = (base: DualTokenVariant): DualTokenVariant => change(base, 'Table 3 (d)', {});

/** Pixel taps that the paper compares, of 27 blocks. */
export const sweptTaps = [3, 6, 9, 15, 21, 26] as const;

/** Block `tap` of the paper's 27 in a tower of any depth: in line between its own taps, which stand for 6 and 26. */
const blockOf = ({ taps: { pixel, semantic }, vision }: DualTokenVariant['config'], tap: number): number => {
  const known = [
    [0, 0],
    [6, pixel],
    [26, semantic],
    [27, vision.num_hidden_layers],
  ].flatMap(([of27, block]) => (of27 == null || block == null ? [] : [[of27, block] as const]));
  const after = known.findIndex(([of27], i) => i > 0 && tap <= of27);
  const [[from, low], [to, high]] = [known[after - 1]!, known[after]!];
  return Math.max(1, Math.round(low + ((tap - from) * (high - low)) / (to - from)));
};

/** Of a tower of another depth it says which block stands for the paper's. */
const tapTitle = (tap: number, pixel: number, blocks: number): string =>
  blocks === 27 ? `pixel tap ${tap} of 27` : `pixel tap at block ${pixel} of ${blocks}, for ${tap} of 27`;

/** DualToken with its pixel tap at block `tap` of 27, scaled to the depth of the tower: a small one has fewer blocks than there are taps. */
export const tapAt =
  (tap: number) =>
  (base: DualTokenVariant): DualTokenVariant => {
    const pixel = blockOf(base.config, tap);
    return change(base, tapTitle(tap, pixel, base.config.vision.num_hidden_layers), { taps: { pixel } });
  };
