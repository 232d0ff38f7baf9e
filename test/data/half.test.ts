// 16-bit floats against plain doubles: every bit pattern one way, drawn and boundary values the other way.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bf16Overflow } from '../../src/data/safetensors/half.ts';
import { bf16FromFloats, f16FromFloats, floatsFromBf16, floatsFromF16 } from '../../src/data/safetensors/index.ts';

const test = suite('16-bit floats');
const everyPattern = Uint16Array.from({ length: 65536 }, (_, i) => i);

const roundTrips = (encode: typeof f16FromFloats, decode: typeof floatsFromF16) => {
  const values = decode(everyPattern);
  const back = encode(values);
  for (let i = 0; i < 65536; i++)
    if (Number.isNaN(values[i])) assert.ok(Number.isNaN(decode(back.subarray(i, i + 1))[0]));
    else assert.is(back[i], i);
};

test('every f16 pattern survives f32', () => roundTrips(f16FromFloats, floatsFromF16));
test('every bf16 pattern survives f32', () => roundTrips(bf16FromFloats, floatsFromBf16));

test('landmarks', () => {
  assert.equal(
    [...floatsFromF16(Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0001, 0x0400))],
    [1, -2, 65504, 2 ** -24, 2 ** -14],
  );
  const bits = (x: number) => f16FromFloats(Float32Array.of(x))[0];
  assert.is(bits(65519.99), 0x7bff);
  assert.is(bits(65520), 0x7c00);
  assert.is(bits(2 ** -25), 0, 'a tie goes to even');
  assert.is(bits(2 ** -25 * 1.0001), 1);
  assert.is(bits(1 + 2 ** -11), 0x3c00, 'a tie goes to even');
  assert.is(bits(1 + 3 * 2 ** -11), 0x3c02, 'a tie goes to even');
  assert.is(bits(-0), 0x8000);
  const bfloat = (x: number) => bf16FromFloats(Float32Array.of(x))[0];
  assert.is(bfloat(bf16Overflow), 0x7f80);
  assert.is(bfloat(bf16Overflow - 2 ** 104), 0x7f7f);
});

/** The nearest of all finite values by search, ties to the even pattern. */
const nearest = (x: number, ascending: Float32Array): number => {
  let low = 0;
  let high = ascending.length - 1;
  while (low + 1 < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! <= x) low = middle;
    else high = middle;
  }
  const [below, above] = [x - ascending[low]!, ascending[high]! - x];
  return below < above || (below === above && low % 2 === 0) ? low : high;
};

const agrees = (encode: typeof f16FromFloats, decode: typeof floatsFromF16, infinity: number, largest: number) => {
  const ascending = decode(everyPattern.subarray(0, infinity));
  fc.assert(
    fc.property(fc.float({ min: 0, max: largest, noNaN: true }), (x) => {
      assert.is(encode(Float32Array.of(x))[0], nearest(x, ascending));
      assert.is(encode(Float32Array.of(-x))[0], nearest(x, ascending) | 0x8000);
    }),
    { numRuns: 5000 },
  );
};

test('f16 rounds to the nearest, ties to even', () => agrees(f16FromFloats, floatsFromF16, 0x7c00, 65504));
test('small f16 rounds to the nearest, ties to even', () => agrees(f16FromFloats, floatsFromF16, 0x7c00, 2 ** -13));
test('bf16 rounds to the nearest, ties to even', () => agrees(bf16FromFloats, floatsFromBf16, 0x7f80, 2 ** 127));

test.run();
