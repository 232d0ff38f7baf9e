// The network of the Fréchet inception distance, with parameters that follow a formula.
import { sizeOf } from '../../../src/dsl/core/node.ts';
import { inceptionV3 } from '../../../src/models/features/index.ts';
import { paramsBy, rank4 } from '../../support/params.ts';
import { inputOf } from '../case.ts';
import type { Kind } from '../kind.ts';

/** MurmurHash3's finaliser. */
const mixed = (x: number): number => {
  const a = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  const b = Math.imul(a ^ (a >>> 13), 0xc2b2ae35);
  return (b ^ (b >>> 16)) >>> 0;
};

/** Values of each parameter, as the case's words say; norms have four parameters after the convolution's one. */
const byFormula = (shape: readonly number[], place: number): ArrayLike<number> => {
  const size = sizeOf(shape);
  const start = Math.imul(40503, place + 1);
  const scale = shape.length === 4 ? Math.sqrt((6 * shape[0]!) / size) : 0.25;
  const about = place % 5 === 1 || place % 5 === 4 ? 1 : 0;
  return Float32Array.from({ length: size }, (_, i) => {
    const u = mixed(Math.imul(i, 0x9e3779b1) + start) / 2 ** 31 - 1;
    return about + scale * u;
  });
};

export const inceptionKind: Kind = (c, evaluate) => {
  const net = inceptionV3();
  return evaluate({ features: net.apply(paramsBy(net.spec, byFormula))(rank4(inputOf(c, 'x'))) });
};
