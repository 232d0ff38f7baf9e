// What a program needs of a device's memory: checkpointed blocks keep their inputs alone, and the estimate is what is measured.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Compilation } from '../../src/compiler/compile.ts';
import { summaryOf } from '../../src/compiler/explain.ts';
import { input } from '../../src/dsl/core/build.ts';
import { isKind, sizeOf, topological } from '../../src/dsl/core/node.ts';
import { mean, square } from '../../src/dsl/ops/index.ts';
import { isParamSpec, type ParamsOf } from '../../src/dsl/param.ts';
import { wrap } from '../../src/dsl/tensor.ts';
import { checkpoint, valueAndGrad } from '../../src/dsl/transform/index.ts';
import { take } from '../../src/dsl/transform/tensors.ts';
import { flatten } from '../../src/dsl/tree.ts';
import type { Tokens } from '../../src/models/nn/linear.ts';
import { blocks } from '../../src/models/nn/transformer.ts';
import { orThrow } from '../../src/runtime/attempt.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { openNull } from '../../src/runtime/null.ts';
import { openWasm } from '../../src/runtime/wasm/wasm.ts';
import { freshWebGpu, right } from '../support/backends.ts';
import { compiled } from '../support/compiled.ts';

const test = suite('memory');

/** The loss of a tower and its gradient, with or without its blocks' insides kept. */
const training = (
  count: number,
  remat: boolean,
  [batch, tokens, width]: readonly [number, number, number],
): Compilation => {
  const tower = blocks({
    hidden_size: width,
    intermediate_size: 4 * width,
    num_hidden_layers: count,
    num_attention_heads: 2,
    hidden_act: 'gelu_pytorch_tanh',
    layer_norm_eps: 1e-6,
  });
  const spec = tower.map((b) => b.spec);
  const flat = flatten(spec, isParamSpec);
  const params = flat.rebuild(
    flat.leaves.map(({ path, value }) => wrap(input(path, value.shape, 'f32', 'param'))),
  ) as ParamsOf<typeof spec>;
  const x: Tokens = wrap(input('x', [batch, tokens, width], 'f32'));
  const loss = (p: typeof params) =>
    mean(
      square(
        tower.reduce((y, b, i) => {
          const run = (q: (typeof p)[number], z: Tokens): Tokens => b.apply(q)(z);
          return (remat ? checkpoint(run) : run)(p[i]!, y);
        }, x),
      ),
    );
  const outputs = take(valueAndGrad(loss)(params)).nodes;
  const inputs = topological(outputs).filter((n) => isKind(n, 'input'));
  return { inputs: inputs.map((node) => ({ node, donated: false })), outputs };
};

test('checkpointed blocks lower the peak of a 24-block tower to a third, for 1.4 times the work', () => {
  const { caps } = openNull();
  const of = (remat: boolean) => summaryOf(compiled(training(24, remat, [2, 64, 32]).outputs, caps));
  const [kept, again] = [of(false), of(true)];
  const ratio = kept.tempBytes / again.tempBytes;
  assert.ok(ratio >= 3, `${kept.tempBytes} bytes against ${again.tempBytes}: ${ratio.toFixed(2)} times`);
  assert.ok(again.flops <= 1.4 * kept.flops, `${again.flops} FLOPs against ${kept.flops}`);
});

const estimated = async (backend: Backend): Promise<void> => {
  try {
    const c = training(2, true, [3, 70, 96]);
    const program = compiled(c.outputs, backend.caps);
    const buffers = await Promise.all(
      c.inputs.map(({ node }) =>
        orThrow(backend.upload(new Float32Array(sizeOf(node.shape)).fill(0.1), node.shape, 'f32')),
      ),
    );
    const executable = await orThrow(backend.load(program));
    await orThrow(executable.run(buffers, {}));
    await orThrow(backend.idle);
    const { peakBytes } = summaryOf(program);
    const measured = backend.stats().peakBytes;
    assert.ok(Math.abs(measured / peakBytes - 1) <= 0.05, `estimated ${peakBytes} bytes, measured ${measured}`);
  } finally {
    backend.dispose();
  }
};

test('the estimate of a program is within 5 % of what the device held (webgpu)', async () => {
  const backend = await freshWebGpu();
  if (backend) await estimated(backend);
});

test('the estimate of a program is within 5 % of what the device held (wasm)', async () =>
  estimated(await right(openWasm())));

test.run();
