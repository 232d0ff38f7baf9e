// The naive combination's pixel tokenizer: a convolutional one whose codebook learns by running means.

import { pipe } from 'fp-ts/lib/function.js';
import { lastOfDecoder } from '../autoencoders/last.ts';
import { codebookSpec, embedCodes, quantise, quantiseTraining } from '../quantisers/residual-quantiser.ts';
import {
  type ResidualMovqganConfig,
  residualMovqganLatent,
  residualMovqganPaint,
  residualMovqganSpec,
} from '../residual-movqgan.ts';
import { restartsOf } from './restarts.ts';
import type { TokenizerSystem } from './system.ts';

const stateSpecOf = (c: ResidualMovqganConfig) => ({ quantizer: codebookSpec(c.quantiser) });
const tablesSpecOf = (c: ResidualMovqganConfig) => {
  const { codebook } = codebookSpec(c.quantiser);
  return { quantizer: { codebook } };
};

/** That tokenizer at a configuration: 'pixel' codes [B, h, w, depth]. */
export const residualMovqganSystem = (
  c: ResidualMovqganConfig,
): TokenizerSystem<
  ReturnType<typeof residualMovqganSpec>,
  ReturnType<typeof stateSpecOf>,
  ReturnType<typeof tablesSpecOf>
> => ({
  spec: residualMovqganSpec(c),
  stateSpec: stateSpecOf(c),
  tablesSpec: tablesSpecOf(c),
  size: c.autoencoder.resolution,
  grid: c.autoencoder.resolution / 2 ** (c.autoencoder.ch_mult.length - 1),
  depth: c.quantiser.depth,
  vocabularies: { pixel: c.quantiser.codes },
  restarts: { pixel: restartsOf('quantizer', c.quantiser) },
  forward:
    (params, { quantizer }, key, { microBatches = 1, remat = false, still }) =>
    (images) => {
      const latent = residualMovqganLatent(c, params, remat)(images);
      const { z, codes, commitment, next } = still?.has('quantizer')
        ? { ...quantise(c.quantiser, quantizer.codebook)(latent), next: quantizer }
        : quantiseTraining(c.quantiser, quantizer, key, microBatches)(latent);
      return {
        image: images,
        reconstruction: residualMovqganPaint(c, params, remat)(z),
        deep: null,
        deepQuantised: null,
        pooled: null,
        commitment,
        entropy: null,
        codes: { pixel: codes },
        state: { quantizer: next },
      };
    },
  tables: ({ quantizer: { codebook } }) => ({ quantizer: { codebook } }),
  encode:
    (params, { quantizer }) =>
    (images) => ({
      pixel: pipe(images, residualMovqganLatent(c, params), quantise(c.quantiser, quantizer.codebook)).codes,
    }),
  decode:
    (params, { quantizer }) =>
    (codes) =>
      pipe(codes, embedCodes(quantizer.codebook), residualMovqganPaint(c, params)),
  ...lastOfDecoder,
  tower: null,
  text: null,
  teacher: null,
});
