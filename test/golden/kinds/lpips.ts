// LPIPS: with the published linear heads on a backbone that follows a formula, and with all parameters of the case.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { sizeOf } from '../../../src/dsl/core/node.ts';
import { sum } from '../../../src/dsl/ops/reduce.ts';
import type { Rank1 } from '../../../src/dsl/shape.ts';
import type { Tensor } from '../../../src/dsl/tensor.ts';
import { valueAndGradAux } from '../../../src/dsl/transform/index.ts';
import {
  lpips,
  lpipsHeadNames,
  lpipsHeadsSpec,
  lpipsNames,
  type Pair,
  vgg16,
} from '../../../src/models/features/index.ts';
import type { Maps } from '../../../src/models/nn/conv2d.ts';
import { paramsBy, paramsFrom, rank4, readTensors } from '../../support/params.ts';
import { sharedDir } from '../../support/shared.ts';
import { type GoldenCase, inputOf } from '../case.ts';
import type { Kind } from '../kind.ts';

/** The published heads in the shared folder; null where it is not here. */
export const lpipsHeads = (): string | null => {
  const path = join(sharedDir() ?? '', 'data', 'lpips-lin-v0.1', 'lpips_lin_v0.1.safetensors');
  return existsSync(path) ? path : null;
};

/** Convolution l: weight[i] = sin(0.7131 i + 1.37 l) sqrt(4 / (9 inputs)), bias[c] = 0.01 cos(0.5 c + l). */
const byFormula = (shape: readonly number[], place: number): ArrayLike<number> => {
  const l = Math.floor(place / 2);
  const scale = Math.sqrt(4 / (9 * (shape[1] ?? 1)));
  const at = (i: number): number =>
    shape.length === 4 ? Math.sin(0.7131 * i + 1.37 * l) * scale : 0.01 * Math.cos(0.5 * i + l);
  return Float32Array.from({ length: sizeOf(shape) }, (_, i) => at(i));
};

/** The distances, and the gradient of their sum with respect to the second image. */
const withGradient = (c: GoldenCase, distance: (pair: Pair) => Tensor<Rank1>) => {
  const a = rank4(inputOf(c, 'a'));
  const { aux, grads } = valueAndGradAux((b: Maps) => {
    const each = distance({ a, b });
    return [sum(each), each] as const;
  })(rank4(inputOf(c, 'b')));
  return { distance: aux, 'grad.b': grads };
};

/** A VGG16 of any widths, whose parameters the case has. */
export const lpipsKind: Kind = (c, evaluate) => {
  const widths = [0, 1, 2, 3, 4].map((i) => c.model.get(`lin${i}.model.1.weight`)!.shape[1]!);
  const net = lpips(vgg16(widths));
  return evaluate(withGradient(c, net.apply(paramsFrom(net.spec, c.model, lpipsNames('vgg')))));
};

export const lpipsVggKind: Kind = async (c, evaluate) => {
  const path = lpipsHeads();
  if (path === null) throw new Error('the published heads of LPIPS are in the shared folder, which is not here');
  const net = vgg16();
  const heads = paramsFrom(lpipsHeadsSpec(net.widths), await readTensors(path), lpipsHeadNames('vgg'));
  return evaluate(withGradient(c, lpips(net).apply({ net: paramsBy(net.spec, byFormula), ...heads })));
};
