// Counter-based random numbers (Threefry-2x32, 20 rounds; Salmon et al. 2011): the value depends on the seed and the
// counter alone, so that sample n draws the same numbers however the run got there.

const rotations = [13, 15, 26, 6, 17, 29, 16, 24] as const;

const rotateLeft = (x: number, by: number): number => (x << by) | (x >>> (32 - by));

/** Two 32-bit words from a key and a counter of two words each. */
export const threefry = (
  key: readonly [number, number],
  counter: readonly [number, number],
): readonly [number, number] => {
  const keys = [key[0] | 0, key[1] | 0, 0x1bd11bda ^ key[0] ^ key[1]];
  let x = (counter[0] + keys[0]!) | 0;
  let y = (counter[1] + keys[1]!) | 0;
  for (let round = 0; round < 20; round++) {
    x = (x + y) | 0;
    y = rotateLeft(y, rotations[round % 8]!) ^ x;
    if (round % 4 === 3) {
      const block = (round + 1) / 4;
      x = (x + keys[block % 3]!) | 0;
      y = (y + keys[(block + 1) % 3]! + block) | 0;
    }
  }
  return [x >>> 0, y >>> 0];
};

/** What numbers are drawn for: draws for one purpose never repeat those of another. */
const purposes = { shuffle: 1, crop: 2, caption: 3, blocks: 4 } as const;
export type Purpose = keyof typeof purposes;

/** `random(seed, purpose, n)(i)`: number i of item n, uniform in [0, 1) with 32 bits. */
export const random = (seed: number, purpose: Purpose, item: number): ((index: number) => number) => {
  // A key of its own for each purpose and item; items may exceed 32 bits.
  const stream = threefry([seed, Math.floor(seed / 2 ** 32)], [purposes[purpose], 0]);
  const key = threefry(stream, [item, Math.floor(item / 2 ** 32)]);
  return (index) => threefry(key, [index, 0])[0] / 2 ** 32;
};
