// Element types: storage width, classes, and the typed array that holds each on the host.

export type DType = 'f32' | 'f16' | 'bf16' | 'i32' | 'u32' | 'bool';

interface Classes {
  readonly float: 'f32' | 'f16';
}
/** Read from an interface, so that the type checker's messages list the dtypes and not this name. */
export type FloatType = Classes['float'];

/** Bytes that one element occupies in a device buffer. `bool` is stored as u32. */
export const bytesOf: Readonly<Record<DType, number>> = { f32: 4, f16: 2, bf16: 2, i32: 4, u32: 4, bool: 4 };

export const isFloat = (d: DType): boolean => d === 'f32' || d === 'f16' || d === 'bf16';
export const isInteger = (d: DType): boolean => d === 'i32' || d === 'u32';

/** Host arrays: f16 and bf16 travel as their raw 16-bit patterns. */
export interface HostArrays {
  readonly f32: Float32Array;
  readonly f16: Uint16Array;
  readonly bf16: Uint16Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly bool: Uint32Array;
}
export type HostArray = HostArrays[DType];

/** The most negative finite value: masks use it, because infinity is a shader compile error. */
export const lowest: Readonly<Record<DType, number>> = {
  f32: -3.4028234663852886e38,
  f16: -65504,
  bf16: -3.3895313892515355e38,
  i32: -2147483648,
  u32: 0,
  bool: 0,
};
/** The most positive finite value. */
export const highest: Readonly<Record<DType, number>> = {
  f32: 3.4028234663852886e38,
  f16: 65504,
  bf16: 3.3895313892515355e38,
  i32: 2147483647,
  u32: 4294967295,
  bool: 1,
};
/** What nothing of a dtype is below or above: infinities of floats. */
export const extremesOf = (d: DType): readonly [number, number] =>
  isFloat(d) ? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] : [lowest[d], highest[d]];
