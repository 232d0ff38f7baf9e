// The published results of single operations, forward and backward, through the interpreter with every value rounded to f32.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as b from '../../../src/dsl/core/build.ts';
import type { Node } from '../../../src/dsl/core/types.ts';
import * as f from '../../../src/dsl/fused/index.ts';
import { gradients } from '../../../src/dsl/transform/pullback.ts';
import { type GoldenCase, readCase } from '../../golden/case.ts';
import { interpret } from '../../support/interpret.ts';
import { sharedDir } from '../../support/shared.ts';
import { skip } from '../../support/skip.ts';

const test = suite('golden operations');

const conv =
  (stride: number, padding: number) =>
  (x: Node, w: Node, c: Node): Node => {
    const pads = [padding, padding] as const;
    const y = b.conv2d(x, w, { stride: [stride, stride], padding: [pads, pads], dilation: [1, 1], groups: 1 });
    return b.add(y, b.alongAxis(c, 1, y.shape));
  };
const sigmoid = (x: Node): Node => b.recip(b.addConst(b.exp(b.neg(x)), 1));
const targetsOf = (c: GoldenCase): readonly number[] => {
  const { targets } = c.settings;
  return Array.isArray(targets) ? targets.map(Number) : [];
};

const programs: Readonly<Record<string, (xs: readonly Node[], c: GoldenCase) => Node>> = {
  'op-attention': ([q, k, v]) => f.attention(q!, k!, v!, { causal: true }).out,
  'op-batchnorm-train': ([x, w, c]) => f.batchNormTrain(x!, w!, c!, 1e-5).y,
  'op-conv2d': ([x, w, c]) => conv(2, 1)(x!, w!, c!),
  'op-conv2d-same': ([x, w, c]) => conv(1, 1)(x!, w!, c!),
  'op-cross-entropy': ([x], c) => f.meanCrossEntropy(x!, b.input('targets', [targetsOf(c).length], 'i32'), -100),
  'op-gelu-erf': ([x]) => b.mul(b.scale(x!, 0.5), b.addConst(b.erf(b.scale(x!, Math.SQRT1_2)), 1)),
  'op-groupnorm-swish': ([x, w, c]) => {
    const y = f.groupNorm(x!, 2, w!, c!, 1e-6);
    return b.mul(y, sigmoid(y));
  },
  'op-l2norm': ([x]) => f.l2Normalise(x!),
  'op-layernorm': ([x, w, c]) => f.layerNorm(x!, w!, c!, 1e-6),
  'op-softmax-large': ([x]) => f.softmax(x!),
};

const check = (name: string, got: Float64Array, want: ArrayLike<number | bigint>, c: GoldenCase): void => {
  assert.is(got.length, want.length, name);
  got.forEach((v, i) => {
    const w = Number(want[i]);
    assert.ok(Math.abs(v - w) <= c.atol + c.rtol * Math.abs(w), `${name}[${i}]: ${v} for ${w}`);
  });
};

const shared = sharedDir();
const golden = shared && join(shared, 'golden');
for (const [name, program] of Object.entries(programs))
  test(name, async () => {
    if (!golden || !existsSync(join(golden, name))) {
      skip(`${name} is not in ${golden ?? 'a shared folder beside the project'}`);
      return;
    }
    const c = await readCase(join(golden, name));
    const order = [...c.inputs.keys()].filter((k) => k !== 'cotangent').sort();
    const xs = order.map((k) => b.input(k, c.inputs.get(k)!.shape, 'f32'));
    const values = new Map<string, ArrayLike<number>>([['targets', targetsOf(c)]]);
    for (const [k, t] of c.inputs) values.set(k, Array.from(t.data, Number));
    const y = program(xs, c);
    const grads = gradients(
      [y],
      [b.reshape(b.input('cotangent', c.inputs.get('cotangent')!.shape, 'f32'), y.shape)],
      xs,
    );
    const [out, ...slopes] = interpret([y, ...grads], values, { round: true });
    check('y', out!, c.outputs.get('y')!.data, c);
    for (const [i, k] of order.entries()) check(`grad.${k}`, slopes[i]!, c.outputs.get(`grad.${k}`)!.data, c);
  });

test.run();
