// Direct loops for the families that are more than a scalar function.
import type { ConvSpec, EinSpec, ReduceFn, View } from '../../../src/dsl/core/op.ts';
import { threefry2x32 } from './scalar.ts';

type Dims = readonly number[];
export interface Value {
  readonly shape: Dims;
  readonly data: Float64Array;
}

export const count = (s: Dims): number => s.reduce((a, b) => a * b, 1);
export const stridesOf = (s: Dims): readonly number[] => {
  const out = s.map(() => 1);
  for (let i = s.length - 2; i >= 0; i--) out[i] = out[i + 1]! * s[i + 1]!;
  return out;
};

/** Calls `f(index, flat)` for each index of `shape`, in row-major order. The index array is reused. */
export const each = (shape: Dims, f: (index: number[], flat: number) => void): void => {
  const n = count(shape);
  const at = shape.map(() => 0);
  for (let flat = 0; flat < n; flat++) {
    f(at, flat);
    for (let a = shape.length - 1; a >= 0; a--) {
      at[a]!++;
      if (at[a]! < shape[a]!) break;
      at[a] = 0;
    }
  }
};

const offset = (index: Dims, strides: Dims): number => {
  let o = 0;
  for (let i = 0; i < index.length; i++) o += index[i]! * strides[i]!;
  return o;
};

/** The source index that output index `at` reads, or null where the view fills. */
const viewIndex = (v: View, at: Dims, x: Value): readonly number[] | null => {
  switch (v.v) {
    case 'permute':
      return x.shape.map((_, i) => at[v.perm.indexOf(i)]!);
    case 'expand':
      return at.map((o, i) => (x.shape[i] === 1 ? 0 : o));
    case 'slice':
      return at.map((o, i) => v.start[i]! + o * v.step[i]!);
    case 'flip':
      return at.map((o, i) => (v.axes.includes(i) ? x.shape[i]! - 1 - o : o));
    case 'pad': {
      const out: number[] = [];
      for (let i = 0; i < at.length; i++) {
        const p = at[i]! - v.before[i]!;
        const step = v.interior[i]! + 1;
        if (p < 0 || p % step !== 0 || p / step >= x.shape[i]!) return null;
        out.push(p / step);
      }
      return out;
    }
    case 'slide': {
      const i = at[v.axis]! * v.stride + at[v.window]! * v.dilation;
      if (i >= x.shape[v.axis]!) throw new Error(`slide reads ${i} of ${x.shape[v.axis]}`);
      return at.map((o, a) => (a === v.axis ? i : o));
    }
    case 'unslide': {
      const p = at[v.axis]! - at[v.window]! * v.dilation;
      if (p < 0 || p % v.stride !== 0 || p / v.stride >= x.shape[v.axis]!) return null;
      return at.map((o, a) => (a === v.axis ? p / v.stride : o));
    }
    case 'reshape':
      throw new Error('reshape keeps the data');
  }
};

export const viewOf = (v: View, x: Value, shape: Dims): Float64Array => {
  if (v.v === 'reshape') return x.data;
  const out = new Float64Array(count(shape));
  const strides = stridesOf(x.shape);
  const fill = v.v === 'pad' ? v.fill : 0;
  each(shape, (at, flat) => {
    const i = viewIndex(v, at, x);
    out[flat] = i === null ? fill : x.data[offset(i, strides)]!;
  });
  return out;
};

export const concatOf = (xs: readonly Value[], axis: number, shape: Dims): Float64Array => {
  const out = new Float64Array(count(shape));
  const strides = stridesOf(shape);
  let base = 0;
  for (const x of xs) {
    each(x.shape, (at, flat) => {
      out[offset(at, strides) + base * strides[axis]!] = x.data[flat]!;
    });
    base += x.shape[axis]!;
  }
  return out;
};

const better: Readonly<Record<'max' | 'min' | 'argmax' | 'argmin', (x: number, best: number) => boolean>> = {
  max: (x, best) => x > best,
  min: (x, best) => x < best,
  argmax: (x, best) => x > best,
  argmin: (x, best) => x < best,
};

/** Reduces in index order; arg-reductions keep the first of equals. `fit` wraps integer sums and products. */
export const reduceOf = (
  by: ReduceFn,
  axes: Dims,
  x: Value,
  times: (a: number, b: number) => number,
  fit: (v: number) => number,
): Float64Array => {
  const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const shape = kept.map((i) => x.shape[i]!);
  const out = new Float64Array(count(shape)).fill(by === 'prod' ? 1 : 0);
  const best = new Float64Array(out.length);
  const seen = new Uint8Array(out.length);
  const strides = stridesOf(shape);
  const axis = axes[0]!;
  each(x.shape, (at, flat) => {
    let o = 0;
    for (let i = 0; i < kept.length; i++) o += at[kept[i]!]! * strides[i]!;
    const value = x.data[flat]!;
    if (by === 'sum') out[o] = fit(out[o]! + value);
    else if (by === 'prod') out[o] = times(out[o]!, value);
    else if (seen[o] === 0 || better[by](value, best[o]!)) {
      seen[o] = 1;
      best[o] = value;
      out[o] = by === 'argmax' || by === 'argmin' ? at[axis]! : value;
    }
  });
  return out;
};

export const cumulateOf = (x: Value, axis: number, reverse: boolean, fit: (v: number) => number): Float64Array => {
  const out = Float64Array.from(x.data);
  const stride = stridesOf(x.shape)[axis]!;
  const n = x.shape[axis]!;
  each(
    x.shape.map((d, i) => (i === axis ? Math.min(1, d) : d)),
    (at) => {
      const base = offset(at, stridesOf(x.shape));
      let total = 0;
      for (let i = 0; i < n; i++) {
        const o = base + (reverse ? n - 1 - i : i) * stride;
        total = fit(total + x.data[o]!);
        out[o] = total;
      }
    },
  );
  return out;
};

/** -1, 0 or 1, NaN the largest. */
const compared = (a: number, b: number): number =>
  Number.isNaN(a) || Number.isNaN(b)
    ? Number(Number.isNaN(a)) - Number(Number.isNaN(b))
    : Number(a > b) - Number(a < b);

export const sortOf = (x: Value, descending: boolean): Float64Array => {
  const n = x.shape.at(-1)!;
  const out = new Float64Array(x.data.length);
  for (let base = 0; base < x.data.length; base += n) {
    const order = Array.from({ length: n }, (_, i) => i);
    order.sort((i, j) => (descending ? -1 : 1) * compared(x.data[base + i]!, x.data[base + j]!) || i - j);
    out.set(order, base);
  }
  return out;
};

export const contractOf = (
  spec: EinSpec,
  a: Value,
  b: Value,
  times: (x: number, y: number) => number,
  fit: (v: number) => number,
): Float64Array => {
  const size = new Map<string, number>();
  for (const [i, l] of [...spec.a].entries()) size.set(l, a.shape[i]!);
  for (const [i, l] of [...spec.b].entries()) size.set(l, b.shape[i]!);
  const summed = [...size.keys()].filter((l) => !spec.out.includes(l));
  const strideIn = (letters: string, x: Value, wanted: readonly string[]) => {
    const strides = stridesOf(x.shape);
    return wanted.map((l) => (letters.includes(l) ? strides[letters.indexOf(l)]! : 0));
  };
  const outer = [...spec.out];
  const [ao, bo, as, bs] = [
    strideIn(spec.a, a, outer),
    strideIn(spec.b, b, outer),
    strideIn(spec.a, a, summed),
    strideIn(spec.b, b, summed),
  ];
  const inner = summed.map((l) => size.get(l)!);
  const steps: (readonly [number, number])[] = [];
  each(inner, (at) => steps.push([offset(at, as), offset(at, bs)]));
  const shape = outer.map((l) => size.get(l)!);
  const out = new Float64Array(count(shape));
  each(shape, (at, flat) => {
    const [pa, pb] = [offset(at, ao), offset(at, bo)];
    let total = 0;
    for (const [sa, sb] of steps) total = fit(total + times(a.data[pa + sa]!, b.data[pb + sb]!));
    out[flat] = total;
  });
  return out;
};

export const convOf = (c: ConvSpec, x: Value, w: Value, shape: Dims): Float64Array => {
  const [, channels, height, width] = x.shape as readonly [number, number, number, number];
  const [outputs, perGroup, kh, kw] = w.shape as readonly [number, number, number, number];
  const out = new Float64Array(count(shape));
  each(shape, (at, flat) => {
    const [n, o, oy, ox] = at as [number, number, number, number];
    const group = Math.floor(o / (outputs / c.groups));
    let total = 0;
    for (let i = 0; i < perGroup; i++)
      for (let ky = 0; ky < kh; ky++)
        for (let kx = 0; kx < kw; kx++) {
          const y = oy * c.stride[0] + ky * c.dilation[0] - c.padding[0][0];
          const z = ox * c.stride[1] + kx * c.dilation[1] - c.padding[1][0];
          if (y < 0 || y >= height || z < 0 || z >= width) continue;
          const xi = ((n * channels + group * perGroup + i) * height + y) * width + z;
          total += x.data[xi]! * w.data[((o * perGroup + i) * kh + ky) * kw + kx]!;
        }
    out[flat] = total;
  });
  return out;
};

/** Rows outside the range read as 0. */
export const gatherOf = (batch: number, x: Value, index: Value): Float64Array => {
  const rows = x.shape[batch]!;
  const rowSize = count(x.shape.slice(batch + 1));
  const perBatch = count(index.shape.slice(batch));
  const out = new Float64Array(index.data.length * rowSize);
  index.data.forEach((row, j) => {
    if (row < 0 || row >= rows) return;
    const from = (Math.floor(j / perBatch) * rows + row) * rowSize;
    out.set(x.data.subarray(from, from + rowSize), j * rowSize);
  });
  return out;
};

/** Updates outside the range are dropped; for 'set' the last update of a row wins. */
export const scatterOf = (
  batch: number,
  combine: 'set' | 'add',
  base: Value,
  index: Value,
  updates: Value,
  fit: (v: number) => number,
): Float64Array => {
  const rows = base.shape[batch]!;
  const rowSize = count(base.shape.slice(batch + 1));
  const perBatch = count(index.shape.slice(batch));
  const out = Float64Array.from(base.data);
  index.data.forEach((row, j) => {
    if (row < 0 || row >= rows) return;
    const to = (Math.floor(j / perBatch) * rows + row) * rowSize;
    for (let e = 0; e < rowSize; e++) {
      const u = updates.data[j * rowSize + e]!;
      out[to + e] = combine === 'set' ? u : fit(out[to + e]! + u);
    }
  });
  return out;
};

export const randomOf = (key: Value, shape: Dims): Float64Array =>
  Float64Array.from({ length: count(shape) }, (_, i) => threefry2x32(key.data[0]!, key.data[1]!, i, 0)[0]);
