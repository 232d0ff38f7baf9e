// Under which names published checkpoints hold a model's parameters, and in which shapes where these differ.
import { match } from 'ts-pattern';
import type { DualTokenConfig } from './dualtoken-parts.ts';
import { isBuffer, type MatchOptions, type StoredInfo } from './load.ts';
import { magvit2 } from './magvit2.ts';
import { movqgan } from './movqgan.ts';
import type { VariantModel } from './variants/variant.ts';
import { vqgan } from './vqgan.ts';

type Renaming = (path: string) => string;

/** The names of DualToken's public code, the parts' and so the quantisers': of March 2025, of 2026, and of the months between. */
const march2025: Renaming = (path) => path;
const called =
  (pixel: string, semantic: string): Renaming =>
  (path) =>
    path
      .replace(/^(prequant|postquant)_visual\./, `$1_${pixel}.`)
      .replace(/^(prequant|postquant|quantizer)_semantic\./, `$1_${semantic}.`)
      .replace(/^quantizer\./, `quantizer_${pixel}.`);
const of2026 = called('pix', 'sem');
const between = called('pixel', 'semantic');

/** A codebook is one module under a number for each depth. */
const fields: Readonly<Record<string, string>> = {
  codebook: 'weight',
  embedEma: 'embed_ema',
  clusterSize: 'cluster_size_ema',
};
const inCodebook = (path: string, depth: number): readonly string[] => {
  const [, book, field] = /^(quantizer[a-z_]*)\.(codebook|embedEma|clusterSize)$/.exec(path) ?? [];
  return book === undefined || field === undefined
    ? [path]
    : Array.from({ length: depth }, (_, i) => `${book}.codebooks.${i}.${fields[field]}`);
};

/** Names that a checkpoint may have for a parameter, the one that is written first; the last is this project's own. */
const candidates = (model: VariantModel): ((path: string) => readonly string[]) => {
  if (model.family !== 'dualtoken' && model.family !== 'residual-movqgan')
    return (path) => [path, path.replace(/^siglip_model\./, '')];
  const { quantiser } = model.config;
  const later = model.family === 'dualtoken' && model.config.projection === 'attention';
  const renamings = later ? [of2026, between, march2025] : [march2025, of2026, between];
  return (path) => [
    ...new Set([
      ...renamings.flatMap((rename) => inCodebook(path, quantiser.depth).map(rename)),
      path,
      // A tower by itself.
      path.replace(/^siglip_model\./, ''),
    ]),
  ];
};

/** The name under which a published checkpoint holds a parameter. */
export const publishedName = (model: VariantModel): ((path: string) => string) => {
  const names = candidates(model);
  return (path) => names(path)[0]!;
};

/** The shape that is stored under a name: a published table ends with a row of padding. */
export const publishedShape = (name: string, shape: readonly number[]): readonly number[] =>
  /\.codebooks\.\d+\.weight$/.test(name) ? [shape[0]! + 1, ...shape.slice(1)] : shape;

/** A text tower, and running means and aliases of codebooks. */
const besideTokenizer = (name: string): boolean =>
  /^((siglip_model\.)?(text_model\.|logit_(scale|bias)$)|quantizer[a-z_]*\.(codebooks\.|embedEma$|clusterSize$))/.test(
    name,
  );

/** What of a whole tower lies behind the last tap, where the model ends there. */
const behindTaps = ({ taps: { pixel, semantic } }: DualTokenConfig, name: string): boolean => {
  if (semantic !== null) return false;
  const [, rest, block] =
    /^(?:siglip_model\.)?vision_model\.(encoder\.layers\.(\d+)|post_layernorm|head)\./.exec(name) ?? [];
  return rest !== undefined && Number(block ?? Infinity) >= (pixel ?? 0);
};

/** What a whole checkpoint holds beside what a model uses: the rest of the tower, the text tower, running means, networks of losses. */
const besides = (model: VariantModel): ((name: string) => boolean) =>
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
    .with({ family: 'magvit2' }, () => magvit2.ignore)
    .with({ family: 'tower' }, { family: 'clip' }, () => isBuffer)
    .exhaustive();

/** What training wraps around a model puts before all its names. */
const wrappers = ['', 'module.', 'model.', 'rqvaesiglip.', '_orig_mod.'];
const unwrapped = (name: string): string => {
  const wrapper = wrappers.find((w) => w !== '' && name.startsWith(w)) ?? '';
  return name.slice(wrapper.length);
};

/** How a model's parameters are found in a checkpoint of any layout that is known here: `matchParams` takes it. */
export const publishedLayout =
  (model: VariantModel) =>
  (stored: ReadonlyMap<string, StoredInfo>): Required<MatchOptions> => {
    const names = candidates(model);
    const besidesModel = besides(model);
    return {
      nameOf: (path) => {
        const all = wrappers.flatMap((wrapper) => names(path).map((name) => `${wrapper}${name}`));
        return all.find((name) => stored.has(name)) ?? all[0]!;
      },
      shapeOf: publishedShape,
      ignore: (name) => besidesModel(name) || besidesModel(unwrapped(name)),
    };
  };
