// Numbers against those that are expected, each within a tolerance that the call states.
import * as assert from 'uvu/assert';

type Numbers = number | ArrayLike<number>;

const listed = (x: Numbers): ArrayLike<number> => (typeof x === 'number' ? [x] : x);

/** As many numbers as expected, each off by `tolerance` and `relative` of the expected one's size at most; none is NaN. */
export const near = (actual: Numbers, expected: Numbers, tolerance: number, what = '', relative = 0): void => {
  const [made, wanted] = [listed(actual), listed(expected)];
  assert.is(made.length, wanted.length, `${what}: ${made.length} values against ${wanted.length}`);
  for (let i = 0; i < wanted.length; i++)
    assert.ok(
      Math.abs(made[i]! - wanted[i]!) <= tolerance + relative * Math.abs(wanted[i]!),
      `${what} ${i}: ${made[i]} against ${wanted[i]}`,
    );
};
