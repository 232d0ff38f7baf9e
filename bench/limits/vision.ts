// Device memory of the SigLIP SO400M vision tower: its weights in f16, and a picture of 384 pixels through all of it.
import {
  cast,
  type DeviceTensor,
  flattenTree,
  isParamSpec,
  openRuntime,
  type ParamsOf,
  type Rank4,
  type Shape,
  type Tensor,
} from '../../src/index.ts';
import { dualtokenSo400m, siglipVision } from '../../src/models/index.ts';
import { type Limit, mib } from './limit.ts';

const MOST_BESIDE = 160 * 2 ** 20;
/** 0.02 in f16. */
const SMALL = 0x251f;

export const vision = async (): Promise<readonly Limit[]> => {
  const runtime = await openRuntime({ backend: 'webgpu' });
  try {
    const c = dualtokenSo400m.vision;
    const tower = siglipVision(c);
    const flat = flattenTree(tower.spec, isParamSpec);
    const sizes = flat.leaves.map(({ value }) => value.shape.reduce((a, b) => a * b, 1));
    const stored: DeviceTensor[] = [];
    for (const [i, { value }] of flat.leaves.entries())
      stored.push(await runtime.upload(new Uint16Array(sizes[i]!).fill(SMALL), value.shape, 'f16'));
    const picture = new Float32Array(3 * c.image_size ** 2).fill(0.5);
    const x = await runtime.upload(picture, [1, 3, c.image_size, c.image_size]);
    const forward = runtime.compile((p: readonly Tensor<Shape, 'f16'>[], v: Tensor<Rank4>) => {
      // Rebuilt by the spec's own form.
      const params = flat.rebuild(p.map(cast('f32'))) as ParamsOf<typeof tower.spec>;
      return tower.apply(params)(v).pooled;
    });
    const from = performance.now();
    const out = await (await forward(stored, x)).read();
    const seconds = (performance.now() - from) / 1000;
    if (!out.every(Number.isFinite)) throw new Error('the tower gives no numbers');
    const weights = 2 * sizes.reduce((a, b) => a + b, 0);
    const beside = runtime.stats().peakBytes - weights;
    const { length } = (await forward.program(stored, x)).steps;
    return [
      {
        name: 'SO400M vision tower at 384 px, beside its f16 weights',
        measured: mib(beside),
        wanted: `at most ${mib(MOST_BESIDE)}`,
        kept: beside <= MOST_BESIDE,
        details: `batch 1; weights ${mib(weights)}, peak of the device ${mib(weights + beside)}; ${length} dispatches, first run ${seconds.toFixed(1)} s`,
      },
    ];
  } finally {
    runtime.close();
  }
};
