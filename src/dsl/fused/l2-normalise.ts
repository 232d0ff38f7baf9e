// Rows scaled to unit length, safely: a row of zeros stays zero and has a finite gradient.
import { cast, fused, like, lt, max, mul, rsqrt, sub, where } from '../core/build.ts';
import { defineFused } from '../core/fused-registry.ts';
import type { Node } from '../core/types.ts';
import { back, checkRows, checkSame, rowSum, wide } from './rows.ts';

const none = (): readonly number[] => [];

const l2NormaliseCall = defineFused({
  name: 'l2Normalise',
  rows: true,
  shared: none,
  infer: (_, [x]) => {
    checkRows('l2Normalise', x!);
    return [x!];
  },
  reference: (attrs, [x]) => {
    const w = wide(x!);
    const squares = rowSum(mul(w, w));
    return [cast(mul(w, back(rsqrt(max(squares, like(Number(attrs.eps) ** 2, squares))), w)), x!.dtype)];
  },
  vjp: (attrs, [x], _, [ct]) => [fused(l2NormaliseGradCall.name, attrs, [x!, ct!])[0]!],
});

const l2NormaliseGradCall = defineFused({
  name: 'l2NormaliseGrad',
  rows: true,
  shared: none,
  infer: (_, [x, ct]) => {
    checkSame('l2NormaliseGrad', 'ct', ct!, x!);
    return [x!];
  },
  reference: (attrs, [x, ct]) => {
    const [w, g] = [wide(x!), wide(ct!)];
    const squares = rowSum(mul(w, w));
    const floor = like(Number(attrs.eps) ** 2, squares);
    const inverse = rsqrt(max(squares, floor));
    const unit = mul(w, back(inverse, w));
    // Below the floor the scale is constant, so that nothing is projected out.
    const along = rowSum(mul(unit, g));
    const taken = where(lt(floor, squares), along, like(0, along));
    return [cast(mul(sub(g, mul(unit, back(taken, w))), back(inverse, w)), x!.dtype)];
  },
});

/**
 * x [.., n] -> x / max(|x|, eps) over the last axis. The norm is never taken below `eps`, so that a row of zeros gives zeros and
 * its gradient is that of x / eps: finite. `eps` above 1e-19, for its square is an f32.
 */
export const l2Normalise = (x: Node, eps = 1e-12): Node => fused(l2NormaliseCall.name, { eps }, [x])[0]!;
