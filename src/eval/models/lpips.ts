// LPIPS of picture pairs, by the published networks.
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import {
  castOnce,
  freePlaced,
  inSingles,
  type Placed,
  perceptualFault,
  placedParams,
  placePerceptual,
} from '../../checkpoints/index.ts';
import type { DataError } from '../../data/error.ts';
import type { Layer } from '../../dsl/layer.ts';
import type { ParamsOf } from '../../dsl/param.ts';
import type { Rank1, Rank4 } from '../../dsl/shape.ts';
import type { Tensor } from '../../dsl/tensor.ts';
import { type LpipsNet, lpipsAlex, lpipsSqueeze, lpipsVgg, type Pair } from '../../models/features/index.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { HostTensor } from '../../runtime/tensor.ts';

/** The distance of each pair of pictures f32 [count, 3, side, side] in [-1, 1]. Throws RangeError, RunFailure or CompileFailure. */
export type PairDistance = (a: Float32Array, b: Float32Array, count: number, side: number) => Promise<Float32Array>;

export interface OpenDistance extends PairDistance {
  /** Gives its parameters and programs up, once those that run are over. */
  readonly free: () => Promise<void>;
}

const distanceBy = <P>(
  runtime: Runtime,
  net: LpipsNet,
  { spec, apply }: Layer<P, Pair, Tensor<Rank1>>,
  placed: Placed,
): OpenDistance => {
  const params = placedParams(spec, placed);
  const run = runtime.compile(
    (p: ParamsOf<P>, a: Tensor<Rank4>, b: Tensor<Rank4>) => apply(inSingles(p, castOnce(runtime)))({ a, b }),
    { name: 'LPIPS' },
  );
  const distance: PairDistance = async (a, b, count, side) => {
    const fault = perceptualFault(`lpips-${net}`, side);
    if (fault !== null) throw new RangeError(`LPIPS: ${fault}`);
    const shape = [count, 3, side, side];
    const made = await run(params, new HostTensor(a, shape, 'f32'), new HostTensor(b, shape, 'f32'));
    const values = await made.read();
    made.free();
    return values;
  };
  return Object.assign(distance, {
    free: async () => {
      await run.free();
      freePlaced(placed);
    },
  });
};

/**
 * LPIPS with the backbone in `paths[0]` (torchvision's or timm's file) and the published heads in `paths[1]`, or both in one file.
 * Left: everything that is missing or misshapen.
 */
export const openLpips = (
  runtime: Runtime,
  net: LpipsNet,
  paths: readonly string[],
): TE.TaskEither<DataError, OpenDistance> =>
  pipe(
    placePerceptual(runtime, `lpips-${net}`, paths),
    TE.map((placed) =>
      net === 'vgg'
        ? distanceBy(runtime, net, lpipsVgg(), placed)
        : net === 'alex'
          ? distanceBy(runtime, net, lpipsAlex(), placed)
          : distanceBy(runtime, net, lpipsSqueeze(), placed),
    ),
  );
