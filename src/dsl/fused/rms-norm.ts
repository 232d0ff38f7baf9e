// Root-mean-square normalisation over the last axis.
import { addConst, cast, fused, mul, rsqrt, sub } from '../core/build.ts';
import { defineFused } from '../core/fused-registry.ts';
import type { Node } from '../core/types.ts';
import { back, checkRows, checkSame, checkShared, each, leadOf, overRows, rowMean, wide } from './rows.ts';

const inverseRms = (w: Node, eps: number): Node => rsqrt(addConst(rowMean(mul(w, w)), eps));

const rmsNormCall = defineFused({
  name: 'rmsNorm',
  rows: true,
  shared: (attrs) => (attrs.weight === true ? [1] : []),
  infer: (_, [x, weight]) => {
    checkRows('rmsNorm', x!);
    if (weight) checkShared('rmsNorm', 'weight', weight, x!);
    return [x!];
  },
  reference: (attrs, [x, weight]) => {
    const w = wide(x!);
    const normal = mul(w, back(inverseRms(w, Number(attrs.eps)), w));
    return [cast(weight ? mul(normal, each(wide(weight), w)) : normal, x!.dtype)];
  },
  vjp: (attrs, [x, weight], _, [ct]) => {
    const { dx, rstd } = rmsNormGrad(x!, ct!, weight ?? null, Number(attrs.eps));
    if (!weight) return [dx];
    return [dx, cast(overRows(mul(wide(ct!), mul(wide(x!), back(rstd, x!)))), weight.dtype)];
  },
});

const rmsNormGradCall = defineFused({
  name: 'rmsNormGrad',
  rows: true,
  shared: (attrs) => (attrs.weight === true ? [2] : []),
  infer: (_, [x, ct, weight]) => {
    checkRows('rmsNormGrad', x!);
    checkSame('rmsNormGrad', 'ct', ct!, x!);
    if (weight) checkShared('rmsNormGrad', 'weight', weight, x!);
    return [x!, { shape: leadOf(x!), dtype: 'f32' }];
  },
  reference: (attrs, [x, ct, weight]) => {
    const w = wide(x!);
    const rstd = inverseRms(w, Number(attrs.eps));
    const normal = mul(w, back(rstd, w));
    const g = weight ? mul(wide(ct!), each(wide(weight), w)) : wide(ct!);
    const dx = mul(back(rstd, w), sub(g, mul(normal, back(rowMean(mul(g, normal)), w))));
    return [cast(dx, x!.dtype), rstd];
  },
});

/** The cotangent of rmsNorm's x [.., n] in one pass, with the rows' reciprocal root mean square (f32 [..]). */
export const rmsNormGrad = (
  x: Node,
  ct: Node,
  weight: Node | null,
  eps: number,
): { readonly dx: Node; readonly rstd: Node } => {
  const [dx, rstd] = fused(rmsNormGradCall.name, { eps, weight: weight !== null }, weight ? [x, ct, weight] : [x, ct]);
  return { dx: dx!, rstd: rstd! };
};

/** x [.., n] -> x / sqrt(mean(x^2) + eps) * weight; weight [n] or null. f16 computes in f32. */
export const rmsNorm = (x: Node, weight: Node | null, eps: number): Node =>
  fused(rmsNormCall.name, { eps, weight: weight !== null }, weight ? [x, weight] : [x])[0]!;
