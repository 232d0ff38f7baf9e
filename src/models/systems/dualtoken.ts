// DualToken's family: a tower with taps, and all that changes of its configuration make of it.
import {
  codebooksSpec,
  type DualTokenConfig,
  decode,
  dualTokenSpec,
  encode,
  forwardTraining,
  tablesSpec,
} from '../dualtoken.ts';
import { patchGrid } from '../nn/patch-embedding.ts';
import { restartsOf } from './restarts.ts';
import type { TokenizerSystem } from './system.ts';

/**
 * A tokenizer of DualToken's family: 'pixel' and 'semantic' codes [B, h, w, depth], where the configuration has them. It takes the
 * configuration as it is: `faultsOf` says what is wrong with one.
 */
export const dualTokenSystem = (
  c: DualTokenConfig,
): TokenizerSystem<
  ReturnType<typeof dualTokenSpec>,
  ReturnType<typeof codebooksSpec>,
  ReturnType<typeof tablesSpec>
> => ({
  spec: dualTokenSpec(c),
  stateSpec: codebooksSpec(c),
  tablesSpec: tablesSpec(c),
  size: c.vision.image_size,
  grid: patchGrid(c.vision),
  depth: c.quantiser.depth,
  vocabularies: {
    ...(c.taps.pixel === null ? {} : { pixel: c.quantiser.codes }),
    ...(c.taps.semantic === null || c.vocabularies === 1 ? {} : { semantic: c.quantiser.codes }),
  },
  restarts: {
    pixel: restartsOf('quantizer', c.quantiser),
    semantic: restartsOf('quantizer_semantic', {
      ...c.quantiser,
      learning: c.semanticLearning ?? c.quantiser.learning,
    }),
  },
  forward: (params, books, key, options) => (images) => {
    const { codebooks, ...out } = forwardTraining(c, params, books, key, options)(images);
    return { ...out, entropy: null, state: codebooks };
  },
  tables: ({ quantizer, quantizer_semantic }) => ({
    quantizer: quantizer && { codebook: quantizer.codebook },
    quantizer_semantic: quantizer_semantic && { codebook: quantizer_semantic.codebook },
  }),
  encode: (params, tables) => (images) => {
    const { pixel, semantic } = encode(c, params, tables)(images);
    return {
      ...(pixel ? { pixel: pixel.codes } : {}),
      ...(semantic && c.vocabularies !== 1 ? { semantic: semantic.codes } : {}),
    };
  },
  decode: c.taps.pixel === null ? null : (params, tables) => decode(c, params, tables),
  last: ({ decoder }) => decoder?.conv_out.weight ?? null,
  withLast: (params, weight) => ({
    ...params,
    decoder: params.decoder && { ...params.decoder, conv_out: { ...params.decoder.conv_out, weight } },
  }),
  tower: c.taps.semantic === null ? null : { vision: c.vision, semantic: c.taps.semantic },
  text: null,
  teacher: null,
});
