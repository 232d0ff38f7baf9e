// The two-layer perceptron of a transformer block.
import { pipe } from 'fp-ts/lib/function.js';
import { compose } from '../../dsl/compose.ts';
import { normalInit, xavierUniformInit } from '../../dsl/init.ts';
import type { Layer } from '../../dsl/layer.ts';
import { type ActivationName, activations } from './activation.ts';
import { type LinearSpec, linear, type Tokens } from './linear.ts';

export interface MlpSpec {
  readonly fc1: LinearSpec;
  readonly fc2: LinearSpec;
}

/** x [B, L, width] -> act(x W1' + b1) W2' + b2, with `hidden` channels between. Starts as SigLIP's. */
export const mlp = (width: number, hidden: number, act: ActivationName): Layer<MlpSpec, Tokens, Tokens> => {
  const init = { weight: xavierUniformInit, bias: normalInit(1e-6) };
  return compose(
    { fc1: linear(width, hidden, { init }), fc2: linear(hidden, width, { init }) },
    (m) => (x) => pipe(x, m.fc1, activations[act], m.fc2),
  );
};
