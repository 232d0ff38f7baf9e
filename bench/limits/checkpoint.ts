// What `checkpoint` around each block of a tower saves in memory, and costs in time.
import {
  checkpoint,
  type DeviceTensor,
  flattenTree,
  isParamSpec,
  isTensor,
  mean,
  openRuntime,
  type ParamsOf,
  type Rank3,
  type Shape,
  square,
  summaryOf,
  type Tensor,
  valueAndGrad,
} from '../../src/index.ts';
import { blocks } from '../../src/models/index.ts';
import { median } from '../../src/runtime/tune/median.ts';
import type { Limit } from './limit.ts';

const LEAST_SAVED = 3;
const MOST_TIME = 1.4;
const RUNS = 5;
const [BLOCKS, BATCH, TOKENS, WIDTH] = [24, 2, 196, 192] as const;

export const checkpointing = async (): Promise<readonly Limit[]> => {
  const runtime = await openRuntime({ backend: 'webgpu' });
  try {
    const tower = blocks({
      hidden_size: WIDTH,
      intermediate_size: 4 * WIDTH,
      num_hidden_layers: BLOCKS,
      num_attention_heads: WIDTH / 64,
      hidden_act: 'gelu_pytorch_tanh',
      layer_norm_eps: 1e-6,
    });
    const spec = tower.map((b) => b.spec);
    const flat = flattenTree(spec, isParamSpec);
    const uploaded: DeviceTensor[] = [];
    for (const { value } of flat.leaves) {
      const data = new Float32Array(value.shape.reduce((a, b) => a * b, 1)).map((_, i) => 0.03 * Math.sin(i));
      uploaded.push(await runtime.upload(data, value.shape));
    }
    const x = await runtime.upload(
      new Float32Array(BATCH * TOKENS * WIDTH).map((_, i) => Math.sin(i)),
      [BATCH, TOKENS, WIDTH],
    );
    const stepOf = (again: boolean) =>
      runtime.compile((leaves: readonly Tensor<Shape>[], v: Tensor<Rank3>) => {
        // Rebuilt by the spec's own form.
        const params = flat.rebuild(leaves) as ParamsOf<typeof spec>;
        const { value, grads } = valueAndGrad((p: typeof params) =>
          mean(
            square(
              tower.reduce((y, b, i) => {
                const run = (q: (typeof p)[number], z: Tensor<Rank3>): Tensor<Rank3> => b.apply(q)(z);
                return (again ? checkpoint(run) : run)(p[i]!, y);
              }, v),
            ),
          ),
        )(params);
        return [value, ...flattenTree(grads, isTensor).leaves.map((leaf) => leaf.value)];
      });
    const ways = await Promise.all(
      [stepOf(false), stepOf(true)].map(async (step) => ({
        step,
        memory: summaryOf(await step.program(uploaded, x)),
        times: [] as number[],
      })),
    );
    for (let i = 0; i <= RUNS; i++)
      for (const way of ways) {
        const from = performance.now();
        const results = await way.step(uploaded, x);
        await runtime.idle();
        if (i > 0) way.times.push(performance.now() - from);
        for (const r of results) r.free();
      }
    const [kept, again] = ways as [(typeof ways)[0], (typeof ways)[0]];
    const saved = kept.memory.tempBytes / again.memory.tempBytes;
    const ratio = median(again.times) / median(kept.times);
    const size = `${BLOCKS} blocks of width ${WIDTH}, ${BATCH} x ${TOKENS} tokens`;
    return [
      {
        name: '`checkpoint` a block: activations',
        measured: `${saved.toFixed(2)}x less`,
        wanted: `at least ${LEAST_SAVED}x`,
        kept: saved >= LEAST_SAVED,
        details: `${size}: ${kept.memory.tempBytes} bytes against ${again.memory.tempBytes}`,
      },
      {
        name: '`checkpoint` a block: time',
        measured: `${ratio.toFixed(2)}x`,
        wanted: `at most ${MOST_TIME}x`,
        kept: ratio <= MOST_TIME,
        details: `${size}: ${median(kept.times).toFixed(0)} ms against ${median(again.times).toFixed(0)} ms, medians of ${RUNS} in turns; ${(again.memory.flops / kept.memory.flops).toFixed(2)}x the FLOPs`,
      },
    ];
  } finally {
    runtime.close();
  }
};
