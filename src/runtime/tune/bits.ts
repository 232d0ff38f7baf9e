// Whether two runs gave the same values, to the last bit.

export const sameBits = (a: readonly ArrayLike<number>[], b: readonly ArrayLike<number>[]): boolean =>
  a.every((x, r) => Array.prototype.every.call(x, (v, i) => Object.is(v, b[r]![i])));
