// Functions that JavaScript kernels call and gpu.js takes as they stand. The runtime hands them, `prelude` and `constants` to gpu.js.

export type Native =
  | 'dt_round'
  | 'dt_erf'
  | 'dt_pow'
  | 'dt_toI32'
  | 'dt_toU32'
  | 'dt_divI32'
  | 'dt_divU32'
  | 'dt_bitsOf'
  | 'dt_floatOf'
  | 'dt_toHalf'
  | 'dt_toBfloat'
  | 'dt_finite';

/** Words for bit casts, in scope of the functions below. */
export const prelude = 'const dt_f32 = new Float32Array(1), dt_u32 = new Uint32Array(dt_f32.buffer);';

export const natives: Readonly<Record<Native, string>> = {
  // Ties to even.
  dt_round: `function dt_round(x) {
  const below = Math.floor(x);
  const rest = x - below;
  return rest < 0.5 ? below : rest > 0.5 || below % 2 !== 0 ? below + 1 : below;
}`,
  // fdlibm's s_erf.c: within one unit in the last place of a double (up to rounding in the exponent).
  dt_erf: `function dt_erf(v) {
  const x = Math.abs(v);
  let r = 1;
  if (x < 0.84375) {
    const z = x * x;
    const p = 1.28379167095512558561e-01 + z * (-3.25042107247001499370e-01 + z * (-2.84817495755985104766e-02 + z * (-5.77027029648944159157e-03 + z * -2.37630166566501626084e-05)));
    const q = 1 + z * (3.97917223959155352819e-01 + z * (6.50222499887672944485e-02 + z * (5.08130628187576562776e-03 + z * (1.32494738004321644526e-04 + z * -3.96022827877536812320e-06))));
    r = x + x * (p / q);
  } else if (x < 1.25) {
    const s = x - 1;
    const p = -2.36211856075265944077e-03 + s * (4.14856118683748331666e-01 + s * (-3.72207876035701323847e-01 + s * (3.18346619901161753674e-01 + s * (-1.10894694282396677476e-01 + s * (3.54783043256182359371e-02 + s * -2.16637559486879084300e-03)))));
    const q = 1 + s * (1.06420880400844228286e-01 + s * (5.40397917702171048937e-01 + s * (7.18286544141962662868e-02 + s * (1.26171219808761642112e-01 + s * (1.36370839120290507362e-02 + s * 1.19844998467991074170e-02)))));
    r = 8.45062911510467529297e-01 + p / q;
  } else if (x < 6) {
    const s = 1 / (x * x);
    let p, q;
    if (x < 1 / 0.35) {
      p = -9.86494403484714822705e-03 + s * (-6.93858572707181764372e-01 + s * (-1.05586262253232909814e+01 + s * (-6.23753324503260060396e+01 + s * (-1.62396669462573470355e+02 + s * (-1.84605092906711035994e+02 + s * (-8.12874355063065934246e+01 + s * -9.81432934416914548592e+00))))));
      q = 1 + s * (1.96512716674392571292e+01 + s * (1.37657754143519042600e+02 + s * (4.34565877475229228821e+02 + s * (6.45387271733267880336e+02 + s * (4.29008140027567833386e+02 + s * (1.08635005541779435134e+02 + s * (6.57024977031928170135e+00 + s * -6.04244152148580987438e-02)))))));
    } else {
      p = -9.86494292470009928597e-03 + s * (-7.99283237680523006574e-01 + s * (-1.77579549177547519889e+01 + s * (-1.60636384855821916062e+02 + s * (-6.37566443368389627722e+02 + s * (-1.02509513161107724954e+03 + s * -4.83519191608651397019e+02)))));
      q = 1 + s * (3.03380607434824582924e+01 + s * (3.25792512996573918826e+02 + s * (1.53672958608443695994e+03 + s * (3.19985821950859553908e+03 + s * (2.55305040643316442583e+03 + s * (4.74528541206955367215e+02 + s * -2.24409524465858183362e+01))))));
    }
    r = 1 - Math.exp(-x * x - 0.5625 + p / q) / x;
  }
  return v !== v ? v : v < 0 ? -r : r;
}`,
  // As the WGSL kernels have it: |x| to the power, with the sign of odd whole exponents.
  dt_pow: `function dt_pow(x, y) {
  const r = Math.pow(Math.abs(x), y);
  return x < 0 && Math.abs(y % 2) === 1 ? -r : r;
}`,
  dt_toI32: 'function dt_toI32(x) { return x >= 2147483647 ? 2147483647 : x <= -2147483648 ? -2147483648 : x | 0; }',
  dt_toU32: 'function dt_toU32(x) { return x >= 4294967295 ? 4294967295 : x > 0 ? x >>> 0 : 0; }',
  dt_divI32: 'function dt_divI32(a, b) { return b === 0 ? a : (a / b) | 0; }',
  dt_divU32: 'function dt_divU32(a, b) { return b === 0 ? a : (a / b) >>> 0; }',
  dt_bitsOf: 'function dt_bitsOf(x) { dt_f32[0] = x; return dt_u32[0]; }',
  dt_floatOf: 'function dt_floatOf(x) { dt_u32[0] = x; return dt_f32[0]; }',
  dt_toHalf: `function dt_toHalf(x) {
  dt_f32[0] = x;
  const b = dt_u32[0];
  const sign = (b >>> 16) & 0x8000;
  const m = b & 0x7fffffff;
  if (m > 0x7f800000) return sign | 0x7e00;
  if (m >= 0x477ff000) return sign | 0x7c00;
  if (m >= 0x38800000) return sign | ((m - 0x38000000 + 0xfff + ((m >>> 13) & 1)) >>> 13);
  if (m < 0x33000000) return sign;
  const shift = 126 - (m >>> 23);
  const whole = (m & 0x7fffff) | 0x800000;
  const q = whole >>> shift;
  const rest = whole & ((1 << shift) - 1);
  const tie = 1 << (shift - 1);
  return sign | (rest > tie || (rest === tie && (q & 1) === 1) ? q + 1 : q);
}`,
  dt_toBfloat: `function dt_toBfloat(x) {
  dt_f32[0] = x;
  const b = dt_u32[0];
  return (b & 0x7fffffff) > 0x7f800000 ? (b >>> 16) | 0x40 : (b + 0x7fff + ((b >>> 16) & 1)) >>> 16;
}`,
  dt_finite: 'function dt_finite(x) { return Math.abs(Math.fround(x)) < Infinity; }',
};

const halfValue = (bits: number): number => {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
};

/** What kernels read as `this.constants`: the value of each half-precision pattern. */
export const makeConstants = (): { readonly half: Float32Array } => ({
  half: Float32Array.from({ length: 65536 }, (_, i) => halfValue(i)),
});
