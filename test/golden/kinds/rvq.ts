// The residual quantiser, with a codebook that stays and one that learns.
import { add, mul } from '../../../src/dsl/ops/elementwise.ts';
import { tensor } from '../../../src/dsl/ops/inputs.ts';
import { reshape } from '../../../src/dsl/ops/movement.ts';
import { sum } from '../../../src/dsl/ops/reduce.ts';
import { valueAndGradAux } from '../../../src/dsl/transform/index.ts';
import {
  type Features,
  type QuantiserConfig,
  quantise,
  quantiseTraining,
} from '../../../src/models/quantisers/residual-quantiser.ts';
import { rank1, rank2, rank4 } from '../../support/params.ts';
import { type GoldenCase, inputOf, setting } from '../case.ts';
import type { Kind } from '../kind.ts';

const configOf = (c: GoldenCase): QuantiserConfig => {
  const [codes, dim] = inputOf(c, 'codebook').shape;
  return {
    depth: setting(c, 'depth'),
    codes: codes!,
    dim: dim!,
    decay: setting(c, 'decay', 0.99),
    eps: setting(c, 'eps', 1e-5),
    restart: c.settings.restart === true,
  };
};

export const rvqEvalKind: Kind = (c, evaluate) => {
  const [codebook, cotangent] = [rank2(inputOf(c, 'codebook')), rank4(inputOf(c, 'cotangent'))];
  const loss = (x: Features) => {
    const q = quantise(configOf(c), codebook)(x);
    return [add(sum(mul(q.z, cotangent)), mul(q.commitment, 3)), q] as const;
  };
  const { grads, aux } = valueAndGradAux(loss)(rank4(inputOf(c, 'x')));
  return evaluate({ z: aux.z, codes: aux.codes, commitment: reshape(aux.commitment, [1]), 'grad.x': grads });
};

export const rvqTrainKind: Kind = (c, evaluate) => {
  const state = {
    codebook: rank2(inputOf(c, 'codebook')),
    embedEma: rank2(inputOf(c, 'embed_ema')),
    clusterSize: rank1(inputOf(c, 'cluster_size')),
  };
  const key = tensor(Uint32Array.of(0, setting(c, 'seed', 0)), [2]);
  const q = quantiseTraining(configOf(c), state, key)(rank4(inputOf(c, 'x')));
  return evaluate({
    z: q.z,
    codes: q.codes,
    commitment: q.commitment,
    codebook: q.next.codebook,
    embed_ema: q.next.embedEma,
    cluster_size: q.next.clusterSize,
  });
};
