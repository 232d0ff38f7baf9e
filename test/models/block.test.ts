// A ViT-Base block becomes few kernels, each with the reason why it ends, on software adapters and on graphics cards.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { explainSteps, summaryOf } from '../../src/compiler/explain.ts';
import { input } from '../../src/dsl/core/build.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import { mean, square } from '../../src/dsl/ops/index.ts';
import { isParamSpec, type ParamsOf } from '../../src/dsl/param.ts';
import { wrap } from '../../src/dsl/tensor.ts';
import { valueAndGrad } from '../../src/dsl/transform/index.ts';
import { take } from '../../src/dsl/transform/tensors.ts';
import { flatten } from '../../src/dsl/tree.ts';
import type { Tokens } from '../../src/models/nn/linear.ts';
import { block } from '../../src/models/nn/transformer.ts';
import { hardwareCaps, softwareCaps } from '../support/caps.ts';
import { compiled } from '../support/compiled.ts';

const test = suite('ViT-Base block');

const layer = block(
  {
    hidden_size: 768,
    intermediate_size: 3072,
    num_hidden_layers: 1,
    num_attention_heads: 12,
    hidden_act: 'gelu',
    layer_norm_eps: 1e-6,
  },
  false,
);
const flat = flatten(layer.spec, isParamSpec);
const params = flat.rebuild(
  flat.leaves.map(({ path, value }) => wrap(input(path, value.shape, 'f32', 'param'))),
) as ParamsOf<typeof layer.spec>;
const x: Tokens = wrap(input('x', [1, 196, 768], 'f32'));

const forward = take(layer.apply(params)(x)).nodes;
/** The loss, and the cotangents of all parameters and of the input. */
const training = take(
  valueAndGrad(({ p, tokens }: { readonly p: typeof params; readonly tokens: Tokens }) =>
    mean(square(layer.apply(p)(tokens))),
  )({ p: params, tokens: x }),
).nodes;

const programs: readonly (readonly [string, readonly Node[], number])[] = [
  ['forward', forward, 10],
  ['forward and backward', training, 34],
];
for (const caps of [softwareCaps, hardwareCaps])
  for (const [name, outputs, most] of programs)
    test(`${name} on ${caps.name}: at most ${most} dispatches`, () => {
      const program = compiled(outputs, caps);
      const steps = explainSteps(program);
      assert.ok(summaryOf(program).dispatches <= most, steps.map((s) => `${s.label}: ${s.why}`).join('\n'));
      assert.ok(steps.every((s) => s.why !== ''));
    });

test.run();
