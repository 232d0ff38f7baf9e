// Quantisers of one code a position: by a table that gradients train, and by signs.
import { add, mul } from '../../../src/dsl/ops/elementwise.ts';
import { reshape } from '../../../src/dsl/ops/movement.ts';
import { sum } from '../../../src/dsl/ops/reduce.ts';
import type { Rank2, Rank4 } from '../../../src/dsl/shape.ts';
import type { ScalarTensor, Tensor } from '../../../src/dsl/tensor.ts';
import { valueAndGradAux } from '../../../src/dsl/transform/index.ts';
import { quantiseBySign } from '../../../src/models/quantisers/lookup-free-quantiser.ts';
import { quantiseByTable } from '../../../src/models/quantisers/vector-quantiser.ts';
import { rank2, rank4 } from '../../support/params.ts';
import { inputOf, setting } from '../case.ts';
import type { Kind } from '../kind.ts';

const one = (x: ScalarTensor) => reshape(x, [1]);

export const vectorQuantiserKind: Kind = (c, evaluate) => {
  const cotangent = rank4(inputOf(c, 'cotangent'));
  const [codes, dim] = inputOf(c, 'codebook').shape;
  const config = { codes: codes!, dim: dim!, beta: setting(c, 'beta', 0.25), legacy: c.settings.legacy !== false };
  const loss = ({ x, codebook }: { readonly x: Tensor<Rank4>; readonly codebook: Tensor<Rank2> }) => {
    const q = quantiseByTable(config, codebook)(x);
    return [add(sum(mul(q.z, cotangent)), mul(q.commitment, 3)), q] as const;
  };
  const { grads, aux } = valueAndGradAux(loss)({ x: rank4(inputOf(c, 'x')), codebook: rank2(inputOf(c, 'codebook')) });
  return evaluate({
    z: aux.z,
    codes: aux.codes,
    loss: one(aux.commitment),
    'grad.x': grads.x,
    'grad.codebook': grads.codebook,
  });
};

export const lookupFreeKind: Kind = (c, evaluate) => {
  const z = rank2(inputOf(c, 'z'));
  const [count, dim] = z.shape;
  const shape: Rank4 = [1, count, 1, dim];
  const q = quantiseBySign({ dim, temperature: setting(c, 'temperature', 0.01) })(reshape(z, shape));
  return evaluate({
    q: reshape(q.z, z.shape),
    indices: reshape(q.codes, [count]),
    entropy_loss: one(q.entropy),
    commitment: one(q.commitment),
  });
};

export const lookupFreeGradientKind: Kind = (c, evaluate) => {
  const cotangent = rank4(inputOf(c, 'cotangent'));
  const loss = (x: Tensor<Rank4>) => {
    const q = quantiseBySign({ dim: x.shape[3] })(x);
    const terms = [sum(mul(q.z, cotangent)), mul(q.entropy, 0.3), mul(q.commitment, 0.25)];
    return [terms.reduce((a, b) => add(a, b)), q] as const;
  };
  const { grads, aux } = valueAndGradAux(loss)(rank4(inputOf(c, 'x')));
  return evaluate({
    z: aux.z,
    codes: aux.codes,
    entropy_loss: one(aux.entropy),
    sample_entropy: one(aux.sampleEntropy),
    batch_entropy: one(aux.batchEntropy),
    commitment: one(aux.commitment),
    'grad.x': grads,
  });
};
