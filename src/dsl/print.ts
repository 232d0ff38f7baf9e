// Values as text, as NumPy prints them: nested brackets, aligned columns, the middle of long axes left out.
import type { DType, HostArray } from './core/dtype.ts';
import { sizeOf } from './core/node.ts';

export interface PrintOptions {
  /** Digits after the point. Default 4. */
  readonly precision?: number;
  /** Tensors with more elements than this are summarised. Default 1000. */
  readonly threshold?: number;
  /** Values kept at each end of a summarised axis. Default 3. */
  readonly edge?: number;
}

/** A raw 16-bit pattern as a number. */
export const fromHalf = (bits: number): number => {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
};
const words = new Uint32Array(1);
const floats = new Float32Array(words.buffer);
export const fromBfloat = (bits: number): number => {
  words[0] = bits << 16;
  return floats[0]!;
};

const reader = (dtype: DType): ((raw: number) => number) =>
  dtype === 'f16' ? fromHalf : dtype === 'bf16' ? fromBfloat : (x) => x;

/** How every shown value is written: one form for all, so that columns line up. */
const formatter = (values: readonly number[], dtype: DType, precision: number): ((x: number) => string) => {
  if (dtype === 'bool') return (x) => (x ? 'true' : 'false');
  if (dtype === 'i32' || dtype === 'u32') return (x) => `${x}`;
  const finite = values.filter(Number.isFinite).map(Math.abs);
  const most = Math.max(0, ...finite);
  const least = Math.min(...finite.filter((x) => x > 0), most || 1);
  const scientific = most >= 1e8 || (most > 0 && (least < 1e-4 || most / least > 1e6) && most < 1e-3) || most >= 1e7;
  if (scientific) return (x) => (Number.isFinite(x) ? x.toExponential(precision) : name(x));
  // As many digits as the value that needs most, as NumPy shows them.
  const needed = Math.max(0, ...finite.map((x) => x.toFixed(precision).replace(/0+$/, '').split('.')[1]!.length));
  return (x) => (Number.isFinite(x) ? `${x.toFixed(needed)}${needed === 0 ? '.' : ''}` : name(x));
};
const name = (x: number): string => (Number.isNaN(x) ? 'nan' : x > 0 ? 'inf' : '-inf');

const shown = (size: number, all: boolean, edge: number): readonly (number | null)[] =>
  all || size <= 2 * edge
    ? Array.from({ length: size }, (_, i) => i)
    : [...Array.from({ length: edge }, (_, i) => i), null, ...Array.from({ length: edge }, (_, i) => size - edge + i)];

/** The values of a tensor as text, for example `f32[2, 3]\n[[1. 2. 3.]\n [4. 5. 6.]]`. f16 and bf16 are given as raw bits. */
export const printTensor = (
  data: HostArray,
  shape: readonly number[],
  dtype: DType,
  options: PrintOptions = {},
): string => {
  const { precision = 4, threshold = 1000, edge = 3 } = options;
  const all = sizeOf(shape) <= threshold;
  const read = reader(dtype);
  const head = `${dtype}[${shape.join(', ')}]`;
  if (sizeOf(shape) === 0) return `${head} []`;
  const picks: number[] = [];
  const visit = (axis: number, offset: number): void => {
    if (axis === shape.length) {
      picks.push(read(data[offset]!));
      return;
    }
    const stride = sizeOf(shape.slice(axis + 1));
    for (const i of shown(shape[axis]!, all, edge)) if (i !== null) visit(axis + 1, offset + i * stride);
  };
  visit(0, 0);
  const format = formatter(picks, dtype, precision);
  const width = Math.max(...picks.map((x) => format(x).length));
  const text = (axis: number, offset: number): string => {
    if (axis === shape.length) return format(read(data[offset]!)).padStart(shape.length === 0 ? 0 : width);
    const stride = sizeOf(shape.slice(axis + 1));
    const parts = shown(shape[axis]!, all, edge).map((i) => (i === null ? '...' : text(axis + 1, offset + i * stride)));
    const last = axis === shape.length - 1;
    const gap = last ? ' ' : `${'\n'.repeat(shape.length - 1 - axis)}${' '.repeat(axis + 1)}`;
    return `[${parts.join(gap)}]`;
  };
  return shape.length === 0 ? `${head} ${text(0, 0)}` : `${head}\n${text(0, 0)}`;
};
