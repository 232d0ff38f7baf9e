// All templates, in the order in which they are asked: the first that does not refuse a call takes it. Read template first, the interface.
// Rooms by call: contract/, attention/, nearest/, conv/, row/. Files by call: random, cumulate, sort (on sort-keys), merge, scatter,
// segments. What templates are built on: items, an item an invocation; quads, operands by fours; lanes, how many there are and sums over
// them; subgroup-tile, tiles in a subgroup's registers; parts, long sums in parts.
import { attentions } from './attention/index.ts';
import { contractions } from './contract/index.ts';
import { convolutions } from './conv/index.ts';
import { cumulate } from './cumulate.ts';
import { mergeRuns } from './merge.ts';
import { nearestCodes } from './nearest/index.ts';
import { random } from './random.ts';
import { rowOperations } from './row/index.ts';
import { scatterEverywhere, scatterInPlace } from './scatter.ts';
import { segmentCombine, segmentStarts } from './segments.ts';
import { sort } from './sort.ts';
import type { KernelTemplate } from './template.ts';

export const templates: readonly KernelTemplate[] = [
  ...contractions,
  ...attentions,
  ...nearestCodes,
  ...convolutions,
  ...rowOperations,
  random,
  cumulate,
  sort,
  mergeRuns,
  scatterInPlace,
  scatterEverywhere,
  segmentStarts,
  segmentCombine,
];
