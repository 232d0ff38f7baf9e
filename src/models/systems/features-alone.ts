// What a system is that has features of pictures, and no codes: a tower by itself, CLIP.
import { scalar } from '../../dsl/ops/create.ts';
import type { Rank2 } from '../../dsl/shape.ts';
import type { Tensor } from '../../dsl/tensor.ts';
import type { NoState } from '../convolutional-tokenizer.ts';
import type { VisionConfig } from '../hf-config.ts';
import { patchGrid } from '../nn/patch-embedding.ts';
import type { Images } from '../siglip.ts';
import type { SystemOutputs, TokenizerSystem } from './system.ts';

/** One forward: the pooled feature alone. */
export const pooledAlone = (image: Images, pooled: Tensor<Rank2>): SystemOutputs<NoState> => ({
  image,
  reconstruction: null,
  deep: null,
  deepQuantised: null,
  pooled,
  commitment: scalar(0),
  entropy: null,
  codes: {},
  state: {},
});

type Own = 'spec' | 'forward' | 'text' | 'teacher';

/** Everything but what is a system's own. */
export const featuresAlone = <P>(vision: VisionConfig): Omit<TokenizerSystem<P, NoState, NoState>, Own> => ({
  stateSpec: {},
  tablesSpec: {},
  size: vision.image_size,
  grid: patchGrid(vision),
  depth: 0,
  vocabularies: {},
  restarts: {},
  tables: (state) => state,
  encode: () => () => ({}),
  decode: null,
  last: () => null,
  withLast: (params) => params,
  tower: null,
});
