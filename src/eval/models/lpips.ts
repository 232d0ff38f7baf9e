// LPIPS of picture pairs, by the published networks.
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { DataError } from '../../data/error.ts';
import type { Layer } from '../../dsl/layer.ts';
import type { ParamsOf } from '../../dsl/param.ts';
import type { Rank1, Rank4 } from '../../dsl/shape.ts';
import type { Tensor } from '../../dsl/tensor.ts';
import { type LpipsNet, lpipsAlex, lpipsSqueeze, lpipsVgg, type Pair } from '../../models/features/index.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { HostTensor } from '../../runtime/tensor.ts';
import { loadPerceptual } from '../../train/tasks/perceptual.ts';
import type { NamedTensors } from '../../train/vectors.ts';
import { placeParams } from './compiled.ts';

/** The distance of each pair of pictures f32 [count, 3, side, side] in [-1, 1]. Throws RunFailure or CompileFailure. */
export type PairDistance = (a: Float32Array, b: Float32Array, count: number, side: number) => Promise<Float32Array>;

const distanceBy = async <P>(
  runtime: Runtime,
  { spec, apply }: Layer<P, Pair, Tensor<Rank1>>,
  named: NamedTensors,
): Promise<PairDistance> => {
  const params = await placeParams(runtime, spec, named);
  const run = runtime.compile((p: ParamsOf<P>, a: Tensor<Rank4>, b: Tensor<Rank4>) => apply(p)({ a, b }), {
    name: 'LPIPS',
  });
  return async (a, b, count, side) => {
    const shape = [count, 3, side, side];
    const made = await run(params, new HostTensor(a, shape, 'f32'), new HostTensor(b, shape, 'f32'));
    const values = await made.read();
    made.free();
    return values;
  };
};

/**
 * LPIPS with the backbone in `paths[0]` (torchvision's or timm's file) and the published heads in `paths[1]`, or both in one file.
 * Left: everything that is missing or misshapen.
 */
export const openLpips = (
  runtime: Runtime,
  net: LpipsNet,
  paths: readonly string[],
): TE.TaskEither<DataError, PairDistance> =>
  pipe(
    loadPerceptual(`lpips-${net}`, paths),
    TE.chainTaskK(
      (named) => () =>
        net === 'vgg'
          ? distanceBy(runtime, lpipsVgg(), named)
          : net === 'alex'
            ? distanceBy(runtime, lpipsAlex(), named)
            : distanceBy(runtime, lpipsSqueeze(), named),
    ),
  );
