// threefry-2x32 with 20 rounds from integer maps: the random bits of the language, equal on every backend.
// J. Salmon and others, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
import { add, broadcastTo, cast, constant, iota, like, or, reshape, shl, shr, sliceAxis, xor } from '../core/build.ts';
import { sizeOf } from '../core/node.ts';
import type { Node } from '../core/types.ts';

const ROTATIONS = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;
const PARITY = 0x1bd11bda;

const rotate = (x: Node, bits: number): Node => or(shl(x, like(bits, x)), shr(x, like(32 - bits, x)));

/** Both output words of threefry-2x32-20 for key (k0, k1) and counter (c0, c1), all u32 of one shape. */
export const threefry = (k0: Node, k1: Node, c0: Node, c1: Node): readonly [Node, Node] => {
  const keys = [k0, k1, xor(xor(k0, k1), like(PARITY, k0))] as const;
  let x0 = add(c0, k0);
  let x1 = add(c1, k1);
  for (let group = 0; group < 5; group++) {
    for (const bits of ROTATIONS[(group % 2) as 0 | 1]) {
      x0 = add(x0, x1);
      x1 = xor(rotate(x1, bits), x0);
    }
    x0 = add(x0, keys[((group + 1) % 3) as 0 | 1 | 2]);
    x1 = add(add(x1, keys[((group + 2) % 3) as 0 | 1 | 2]), like(group + 1, x1));
  }
  return [x0, x1];
};

/**
 * Bits of `shape` for each of the keys u32 [.., 2]: u32 [.., shape]. Element i (row-major within `shape`) is the first word
 * of threefry(key, (i, 0)).
 */
export const bitsForKeys = (keys: Node, shape: readonly number[]): Node => {
  const lead = keys.shape.slice(0, -1);
  const flat = [...lead, sizeOf(shape)];
  const word = (i: number) => broadcastTo(sliceAxis(keys, lead.length, i, i + 1), flat);
  const counter = cast(iota(flat, lead.length), 'u32');
  const zero = broadcastTo(constant(0, 'u32'), flat);
  return reshape(threefry(word(0), word(1), counter, zero)[0], [...lead, ...shape]);
};

/** The `random` family from maps: u32 of the node's shape. */
export const randomReference = (n: Node): Node => bitsForKeys(n.src[0]!, n.shape);
