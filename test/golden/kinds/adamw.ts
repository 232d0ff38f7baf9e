// AdamW with clipping on mean((tanh(x w) - y)^2): as many steps as the case has losses, in one graph.
import { matmul } from '../../../src/dsl/ops/contract.ts';
import { scalar, zerosLike } from '../../../src/dsl/ops/create.ts';
import { square, sub, tanh } from '../../../src/dsl/ops/elementwise.ts';
import { stack } from '../../../src/dsl/ops/joining.ts';
import { reshape } from '../../../src/dsl/ops/movement.ts';
import { mean } from '../../../src/dsl/ops/reduce.ts';
import type { Rank1 } from '../../../src/dsl/shape.ts';
import type { ScalarTensor, Tensor } from '../../../src/dsl/tensor.ts';
import { valueAndGrad } from '../../../src/dsl/transform/index.ts';
import { adamScalars } from '../../../src/train/optimiser/adam.ts';
import { type OptimiserState, optimise } from '../../../src/train/optimiser/optimise.ts';
import { rank2 } from '../../support/params.ts';
import { type GoldenCase, inputOf, setting } from '../case.ts';
import type { Kind } from '../kind.ts';

const optionsOf = (c: GoldenCase) => {
  const told = /betas ([\d.]+)\/([\d.]+)/.exec(c.what);
  return {
    betas: [setting(c, 'beta1', Number(told?.[1] ?? 0.9)), setting(c, 'beta2', Number(told?.[2] ?? 0.999))] as const,
    eps: setting(c, 'eps', 1e-8),
    weightDecay: [setting(c, 'weight_decay', 0.01)],
    clip: setting(c, 'clip', setting(c, 'clipping at', Number.POSITIVE_INFINITY)),
  };
};

export const adamwKind: Kind = (c, evaluate) => {
  const [w, x, y] = [rank2(inputOf(c, 'w')), rank2(inputOf(c, 'x')), rank2(inputOf(c, 'y'))];
  const stated = optionsOf(c);
  const options = { ...stated, clip: Number.isFinite(stated.clip) ? stated.clip : null };
  const loss = (flat: Tensor<Rank1>) => mean(square(sub(tanh(matmul(x, reshape(flat, w.shape))), y)));
  const start = reshape(w, [-1]);
  let state: OptimiserState = { params: [start], m: [zerosLike(start)], v: [zerosLike(start)], ema: [] };
  const losses: ScalarTensor[] = [];
  for (let step = 1; step <= c.outputs.get('losses')!.data.length; step++) {
    const { value, grads } = valueAndGrad(loss)(state.params[0]!);
    const numbers = adamScalars(options, setting(c, 'lr'), step);
    const at = {
      stepSize: scalar(numbers.stepSize),
      rootCorrection: scalar(numbers.rootCorrection),
      learningRate: scalar(numbers.learningRate),
    };
    state = optimise(options)(state, [grads], at).state;
    losses.push(value);
  }
  return evaluate({ w: reshape(state.params[0]!, w.shape), losses: stack(losses) });
};
