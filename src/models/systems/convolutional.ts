// The convolutional tokenizers: one vocabulary of pixels, and no state but their parameters.
import type { ConvolutionalTokenizer, NoState } from '../convolutional-tokenizer.ts';
import type { Quantised } from '../quantisers/residual-quantiser.ts';
import type { TokenizerSystem } from './system.ts';

/** A convolutional tokenizer at a configuration: 'pixel' codes [B, h, w, 1]. Throws DslError with every fault of the configuration. */
export const convolutionalSystem = <C, P, Q extends Quantised>(
  { spec, sizes, encode, decode, forwardTraining, last, withLast }: ConvolutionalTokenizer<C, P, Q>,
  config: C,
): TokenizerSystem<P, NoState, NoState> => {
  const { size, grid, codes } = sizes(config);
  return {
    spec: spec(config),
    stateSpec: {},
    tablesSpec: {},
    size,
    grid,
    depth: 1,
    vocabularies: { pixel: codes },
    restarts: {},
    forward:
      (params, state, key, { remat = false }) =>
      (images) => {
        const { codebooks, ...out } = forwardTraining(config, params, state, key, { remat })(images);
        return { ...out, state: codebooks };
      },
    tables: (state) => state,
    encode: (params) => (images) => ({ pixel: encode(config, params)(images).pixel.codes }),
    decode: (params) => decode(config, params),
    last,
    withLast,
    tower: null,
    text: null,
    teacher: null,
  };
};
