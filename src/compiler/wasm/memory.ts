// Loads and stores: how each dtype lies in memory and what it is in a register.
import type { DType } from '../../dsl/core/dtype.ts';
import { type Context, callMath } from './opcodes.ts';

/** log2 of an element's bytes. */
export const shiftOf: Readonly<Record<DType, 1 | 2>> = { f32: 2, i32: 2, u32: 2, bool: 2, f16: 1, bf16: 1 };

/** A place in memory: bytes from an address on. */
export interface Place {
  readonly offset: number;
  readonly address: string;
}
const at = ({ offset, address }: Place): string => (offset === 0 ? address : `offset=${offset} ${address}`);

const all = (bits: string): string => `(v128.const i32x4 ${bits} ${bits} ${bits} ${bits})`;
/** f16 in sign-extended words: shifted to where f32 has sign and exponent, then scaled; what is infinite or no number stays so. */
const widenedHalves = (words: string, c: Context): string => {
  const shifted = c.temp('v128');
  const top = all('0x0f800000');
  const small = `(local.tee ${shifted} (v128.and (i32x4.shl ${words} (i32.const 13)) ${all('0x8fffe000')}))`;
  const finite = `(f32x4.mul ${small} ${all('0x77800000')})`;
  return `(v128.or ${finite} (v128.and (i32x4.eq (v128.and (local.get ${shifted}) ${top}) ${top}) ${all('0x7f800000')}))`;
};

export const loadText = (dtype: DType, wide: boolean, place: Place, c: Context): string => {
  const from = at(place);
  switch (dtype) {
    case 'f32':
      return wide ? `(v128.load ${from})` : `(f32.load ${from})`;
    case 'bool':
      return wide
        ? `(i32x4.ne (v128.load ${from}) (v128.const i32x4 0 0 0 0))`
        : `(i32.ne (i32.load ${from}) (i32.const 0))`;
    case 'f16':
      return wide
        ? widenedHalves(`(v128.load16x4_s ${from})`, c)
        : callMath('fromHalf1', [`(i32.load16_u ${from})`], c);
    case 'bf16':
      return wide
        ? `(i32x4.shl (v128.load16x4_u ${from}) (i32.const 16))`
        : `(f32.reinterpret_i32 (i32.shl (i32.load16_u ${from}) (i32.const 16)))`;
    default:
      return wide ? `(v128.load ${from})` : `(i32.load ${from})`;
  }
};

const storeHalf = (name: 'toHalf' | 'toBfloat', wide: boolean, to: Place, value: string, c: Context): string => {
  if (!wide) return `(i32.store16 ${at(to)} ${callMath(`${name}1`, [value], c)})`;
  const narrow = `(i16x8.narrow_i32x4_u ${callMath(`${name}4`, [value], c)} (v128.const i32x4 0 0 0 0))`;
  return `(v128.store64_lane offset=${to.offset} 0 ${to.address} ${narrow})`;
};

export const storeText = (dtype: DType, wide: boolean, to: Place, value: string, c: Context): string => {
  switch (dtype) {
    case 'f32':
      return wide ? `(v128.store ${at(to)} ${value})` : `(f32.store ${at(to)} ${value})`;
    case 'bool':
      return wide
        ? `(v128.store ${at(to)} (v128.and ${value} (v128.const i32x4 1 1 1 1)))`
        : `(i32.store ${at(to)} ${value})`;
    case 'f16':
      return storeHalf('toHalf', wide, to, value, c);
    case 'bf16':
      return storeHalf('toBfloat', wide, to, value, c);
    default:
      return wide ? `(v128.store ${at(to)} ${value})` : `(i32.store ${at(to)} ${value})`;
  }
};
