// Picture metrics and the distance of feature sets, which run on the host.
import { featureStatistics, frechetDistance, psnr, ssim } from '../../../src/eval/index.ts';
import { floats } from '../../support/params.ts';
import { type GoldenCase, inputOf } from '../case.ts';
import type { Computed } from '../compare.ts';
import type { Kind } from '../kind.ts';

const vector = (data: ArrayLike<number>): Computed => ({ shape: [data.length], data });

const statistics = (c: GoldenCase, name: string) => {
  const features = inputOf(c, name);
  return featureStatistics(floats(features), features.shape[0]!, features.shape[1]!);
};

export const metricsKind: Kind = async (c) => {
  const [a, b] = [inputOf(c, 'a'), inputOf(c, 'b')];
  const [count, channels, height, width] = a.shape;
  const shape = { count: count!, channels: channels!, height: height!, width: width! };
  return new Map([
    ['psnr', vector(psnr(floats(a), floats(b), shape))],
    ['ssim', vector(ssim(floats(a), floats(b), shape))],
    ['frechet', vector([frechetDistance(statistics(c, 'features1'), statistics(c, 'features2'))])],
  ]);
};
