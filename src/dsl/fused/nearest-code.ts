// The nearest row of a codebook: vector quantisation's lookup.
import { add, einsum, expand, fused, mul, reduce, reshape, scale, sub, sum } from '../core/build.ts';
import { isFloat } from '../core/dtype.ts';
import { DslError, describe } from '../core/error.ts';
import { defineFused } from '../core/fused-registry.ts';
import { sizeOf } from '../core/node.ts';
import type { Node } from '../core/types.ts';
import { leadOf, wide } from './rows.ts';

const nearestCodeCall = defineFused({
  name: 'nearestCode',
  shared: () => [1],
  infer: (_, [x, codebook]) => {
    const [rank, k] = [codebook!.shape.length, codebook!.shape[0]];
    if (rank !== 2 || !k || x!.shape.at(-1) !== codebook!.shape[1] || !isFloat(x!.dtype) || !isFloat(codebook!.dtype))
      throw new DslError(
        'nearestCode',
        `x is ${describe(x!)}, the codebook ${describe(codebook!)}`,
        [
          { name: 'x', node: x! },
          { name: 'codebook', node: codebook! },
        ],
        'wants x [.., d] and a codebook [K, d] of at least one code',
      );
    return [{ shape: leadOf(x!), dtype: 'i32' }];
  },
  reference: (_, [x, codebook]) => {
    const d = codebook!.shape[1]!;
    const lead = leadOf(x!);
    const rows = reshape(wide(x!), [sizeOf(lead), d]);
    const codes = wide(codebook!);
    const shape = [rows.shape[0]!, codes.shape[0]!];
    const squares = (t: Node) => sum(mul(t, t), [1]);
    const lengths = add(
      expand(reshape(squares(rows), [shape[0]!, 1]), shape),
      expand(reshape(squares(codes), [1, shape[1]!]), shape),
    );
    const distances = sub(lengths, scale(einsum('nd,kd->nk', rows, codes), 2));
    return [reshape(reduce('argmin', distances, [1]), lead)];
  },
  vjp: () => [null, null],
});

/**
 * x [.., d] and codebook [K, d] -> i32 [..]: the code at the smallest |x|^2 + |c|^2 - 2 x.c, in f32; of equals the lowest index. It
 * has no gradient. Throws DslError where widths differ.
 */
export const nearestCode = (x: Node, codebook: Node): Node => fused(nearestCodeCall.name, {}, [x, codebook])[0]!;
