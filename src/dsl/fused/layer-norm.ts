// Layer normalisation over the last axis: mean first, then the mean of squared differences.
import { add, addConst, cast, fused, mul, rsqrt, sub } from '../core/build.ts';
import { defineFused } from '../core/fused-registry.ts';
import type { Attrs } from '../core/op.ts';
import type { Node } from '../core/types.ts';
import { back, checkRows, checkSame, checkShared, each, leadOf, overRows, rowMean, wide } from './rows.ts';

const flag = (attrs: Attrs, name: string): number => (attrs[name] === true ? 1 : 0);
const present = (xs: readonly (Node | null)[]): readonly Node[] => xs.filter((x) => x !== null);

/** Centred rows, their mean and the reciprocal of their deviation, in f32. */
const moments = (x: Node, eps: number) => {
  const w = wide(x);
  const mean = rowMean(w);
  const centred = sub(w, back(mean, w));
  const rstd = rsqrt(addConst(rowMean(mul(centred, centred)), eps));
  return { mean, rstd, normal: mul(centred, back(rstd, w)) };
};

const layerNormCall = defineFused({
  name: 'layerNorm',
  rows: true,
  shared: (attrs) => [1, 2].slice(0, flag(attrs, 'weight') + flag(attrs, 'bias')),
  infer: (attrs, [x, ...affine]) => {
    checkRows('layerNorm', x!);
    for (const [i, v] of affine.entries())
      checkShared('layerNorm', attrs.weight === true && i === 0 ? 'weight' : 'bias', v, x!);
    return [x!];
  },
  reference: (attrs, [x, ...affine]) => {
    const { normal } = moments(x!, Number(attrs.eps));
    const weighted = attrs.weight === true ? mul(normal, each(wide(affine[0]!), normal)) : normal;
    const shifted = attrs.bias === true ? add(weighted, each(wide(affine.at(-1)!), normal)) : weighted;
    return [cast(shifted, x!.dtype)];
  },
  vjp: (attrs, [x, ...affine], _, [ct]) => {
    const weight = attrs.weight === true ? affine[0]! : null;
    const bias = attrs.bias === true ? affine.at(-1)! : null;
    const { dx, mean, rstd } = layerNormGrad(x!, ct!, weight, Number(attrs.eps));
    const g = wide(ct!);
    const normal = mul(sub(wide(x!), back(mean, x!)), back(rstd, x!));
    const dw = weight && cast(overRows(mul(g, normal)), weight.dtype);
    const db = bias && cast(overRows(g), bias.dtype);
    return [dx, ...present([dw, db])];
  },
});

const layerNormGradCall = defineFused({
  name: 'layerNormGrad',
  rows: true,
  shared: (attrs) => (attrs.weight === true ? [2] : []),
  infer: (_, [x, ct, weight]) => {
    checkRows('layerNormGrad', x!);
    checkSame('layerNormGrad', 'ct', ct!, x!);
    if (weight) checkShared('layerNormGrad', 'weight', weight, x!);
    const scalar = { shape: leadOf(x!), dtype: 'f32' as const };
    return [x!, scalar, scalar];
  },
  reference: (attrs, [x, ct, weight]) => {
    const { mean, rstd, normal } = moments(x!, Number(attrs.eps));
    const g = weight ? mul(wide(ct!), each(wide(weight), normal)) : wide(ct!);
    const along = back(rowMean(mul(g, normal)), normal);
    const dx = mul(back(rstd, normal), sub(sub(g, back(rowMean(g), normal)), mul(normal, along)));
    return [cast(dx, x!.dtype), mean, rstd];
  },
});

/**
 * The cotangent of layerNorm's x [.., n] in one pass, with the rows' mean and reciprocal deviation (f32 [..]), from which the
 * gradients of weight and bias are plain reductions.
 */
export const layerNormGrad = (
  x: Node,
  ct: Node,
  weight: Node | null,
  eps: number,
): { readonly dx: Node; readonly mean: Node; readonly rstd: Node } => {
  const [dx, mean, rstd] = fused(layerNormGradCall.name, { eps, weight: weight !== null }, present([x, ct, weight]));
  return { dx: dx!, mean: mean!, rstd: rstd! };
};

/**
 * x [.., n] -> (x - mean) / sqrt(variance + eps) * weight + bias over the last axis; weight and bias [n] or null. The variance
 * is the biased one, in two passes; f16 computes in f32. Throws DslError where sizes differ.
 */
export const layerNorm = (x: Node, weight: Node | null, bias: Node | null, eps: number): Node =>
  fused(layerNormCall.name, { eps, weight: weight !== null, bias: bias !== null }, present([x, weight, bias]))[0]!;
