// Under which names published checkpoints hold a model's parameters, and in which shapes where these differ.
import { besides, isAverage } from './beside.ts';
import type { MatchOptions, StoredInfo } from './load.ts';
import type { VariantModel } from './variants/variant.ts';

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

/** What training wraps around a model puts before all its names. */
const wrappers = ['', 'module.', 'model.', 'rqvaesiglip.', '_orig_mod.'];
const unwrapped = (name: string): string => {
  const wrapper = wrappers.find((w) => w !== '' && name.startsWith(w)) ?? '';
  return name.slice(wrapper.length);
};

/** The running average of a parameter. */
const averageOf = (path: string): string => `model_ema.${path.replaceAll('.', '')}`;

/** Open-MAGVIT2 is evaluated by the averages of its weights: where a checkpoint has them, they are the model's, and the weights are beside. */
const byAverages = (model: VariantModel, stored: ReadonlyMap<string, StoredInfo>): boolean =>
  model.family === 'magvit2' && [...stored.keys()].some((name) => isAverage(unwrapped(name)));

/** How a model's parameters are found in a checkpoint of any layout that is known here: `matchParams` takes it. */
export const publishedLayout =
  (model: VariantModel) =>
  (stored: ReadonlyMap<string, StoredInfo>): Required<MatchOptions> => {
    const averaged = byAverages(model, stored);
    const names = averaged ? (path: string) => [averageOf(path)] : candidates(model);
    const besidesModel = besides(model);
    const hasAverage = (name: string): boolean =>
      wrappers.some((wrapper) => stored.has(`${wrapper}${averageOf(unwrapped(name))}`));
    return {
      nameOf: (path) => {
        const all = wrappers.flatMap((wrapper) => names(path).map((name) => `${wrapper}${name}`));
        return all.find((name) => stored.has(name)) ?? all[0]!;
      },
      shapeOf: publishedShape,
      ignore: (name) => besidesModel(name) || besidesModel(unwrapped(name)) || (averaged && hasAverage(name)),
    };
  };
