// The numbers that workloads compute on: the same in every process, from a name and a shape alone.
import { f16FromFloats, floatsFromF16 } from '../../src/data/safetensors/half.ts';

/** A tensor on the host, row-major. */
export interface HostArray {
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** FNV-1a of a text. */
const seedOf = (text: string): number => {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
};

/** Uniform in [-scale, scale), by mulberry32 from the name. */
export const uniform = (name: string, shape: readonly number[], scale = 1): HostArray => {
  const data = new Float32Array(sizeOf(shape));
  let state = seedOf(name);
  for (let i = 0; i < data.length; i++) {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    data[i] = (((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1) * scale;
  }
  return { shape, data };
};

/** A matrix [inputs, outputs] that keeps the variance of what it is multiplied with. */
export const weights = (name: string, inputs: number, outputs: number): HostArray =>
  uniform(name, [inputs, outputs], Math.sqrt(3 / inputs));

/** Values with whole numbers `centre` plus noise: scales of norms around 1, biases around 0. */
export const around = (name: string, centre: number, size: number): HostArray => {
  const { shape, data } = uniform(name, [size], 0.1);
  return { shape, data: data.map((v) => v + centre) };
};

/** The nearest values that half precision has. */
export const rounded = ({ shape, data }: HostArray): HostArray => ({ shape, data: floatsFromF16(f16FromFloats(data)) });

/** [rows, columns] -> [columns, rows]. */
export const transposed = ({ shape, data }: HostArray): HostArray => {
  const [rows = 1, columns = 1] = shape;
  const out = new Float32Array(data.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = data[r * columns + c]!;
  return { shape: [columns, rows], data: out };
};

/** Columns `from` to `to` of a matrix, or that part of a vector. */
export const columns = ({ shape, data }: HostArray, from: number, to: number): HostArray => {
  const width = shape.at(-1) ?? 1;
  const rows = data.length / width;
  const out = new Float32Array(rows * (to - from));
  for (let r = 0; r < rows; r++) out.set(data.subarray(r * width + from, r * width + to), r * (to - from));
  return { shape: [...shape.slice(0, -1), to - from], data: out };
};

/** [1, a, b, c] -> [1, b, a, c]: between heads first and tokens first. */
export const swapped = ({ shape, data }: HostArray): HostArray => {
  const [, a = 1, b = 1, c = 1] = shape;
  const out = new Float32Array(data.length);
  for (let i = 0; i < a; i++)
    for (let j = 0; j < b; j++) out.set(data.subarray((i * b + j) * c, (i * b + j + 1) * c), (j * a + i) * c);
  return { shape: [1, b, a, c], data: out };
};
