// 16-bit floats to f32 and back, rounding to nearest, ties to even. Node 20 has no Float16Array.

const scratchFloat = new Float32Array(1);
const scratchBits = new Uint32Array(scratchFloat.buffer);

/** The f32 value of one IEEE half-precision bit pattern. */
const halfValue = (bits: number): number => {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
};

let halfTable: Float32Array<ArrayBuffer> | null = null;

/** IEEE half-precision bit patterns to f32, exactly. */
export const floatsFromF16 = (bits: Uint16Array): Float32Array<ArrayBuffer> => {
  // A table of all 65,536 values: 256 KiB, and several times faster than decoding each.
  halfTable ??= Float32Array.from({ length: 65536 }, (_, i) => halfValue(i));
  const out = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = halfTable[bits[i]!]!;
  return out;
};

/** bfloat16 bit patterns to f32, exactly. */
export const floatsFromBf16 = (bits: Uint16Array): Float32Array<ArrayBuffer> => {
  const out = new Float32Array(bits.length);
  const words = new Uint32Array(out.buffer);
  for (let i = 0; i < bits.length; i++) words[i] = bits[i]! << 16;
  return out;
};

/** f32 bits to half bits. */
const halfBits = (bits: number): number => {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // NaN
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // 65,520 and above round to infinity
  if (magnitude >= 0x38800000) return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  if (magnitude < 0x33000000) return sign; // below 2^-25 rounds to zero
  const shift = 126 - (magnitude >>> 23);
  const significand = (magnitude & 0x7fffff) | 0x800000;
  const quotient = significand >>> shift;
  const rest = significand & ((1 << shift) - 1);
  const tie = 1 << (shift - 1);
  return sign | (rest > tie || (rest === tie && (quotient & 1) === 1) ? quotient + 1 : quotient);
};

/** f32 bits to bfloat16 bits. */
const bfloatBits = (bits: number): number =>
  (bits & 0x7fffffff) > 0x7f800000 ? (bits >>> 16) | 0x40 : (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;

const convert =
  (one: (bits: number) => number) =>
  (values: Float32Array): Uint16Array<ArrayBuffer> => {
    const out = new Uint16Array(values.length);
    for (let i = 0; i < values.length; i++) {
      scratchFloat[0] = values[i]!;
      out[i] = one(scratchBits[0]!);
    }
    return out;
  };

/** f32 to IEEE half-precision bit patterns. Magnitudes of 65,520 and above become infinity. */
export const f16FromFloats = convert(halfBits);

/** f32 to bfloat16 bit patterns. */
export const bf16FromFloats = convert(bfloatBits);

/** Magnitudes from here on become infinity. */
export const f16Overflow = 65520;
export const bf16Overflow = 2 ** 128 - 2 ** 119;
