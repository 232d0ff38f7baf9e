// Graphs on every backend against the f64 interpreter: the same inputs, and one tolerance a dtype.
import { bf16FromFloats, f16FromFloats, floatsFromBf16, floatsFromF16 } from '../../src/data/safetensors/half.ts';
import type { DType, HostArray } from '../../src/dsl/core/dtype.ts';
import { describe } from '../../src/dsl/core/error.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { type Bindings, runGraph } from '../../src/runtime/evaluate.ts';
import { gpuJs, wasm, webGpu } from './backends.ts';
import { interpret } from './interpret.ts';

/** Numbers as the host array of a dtype. */
export const encode = (v: ArrayLike<number>, dtype: DType): HostArray => {
  switch (dtype) {
    case 'f32':
      return Float32Array.from(v);
    case 'f16':
      return f16FromFloats(Float32Array.from(v));
    case 'bf16':
      return bf16FromFloats(Float32Array.from(v));
    case 'i32':
      return Int32Array.from(v);
    default:
      return Uint32Array.from(v);
  }
};
/** The numbers in a host array of a dtype. */
export const decode = (data: HostArray, dtype: DType): ArrayLike<number> =>
  data instanceof Uint16Array ? (dtype === 'bf16' ? floatsFromBf16(data) : floatsFromF16(data)) : data;

/** Allowed error relative to the largest value of a result, or to 1: a few roundings of the dtype. */
const toleranceOf: Readonly<Record<DType, number>> = { f32: 4e-6, f16: 4e-3, bf16: 1.6e-2, i32: 0, u32: 0, bool: 0 };

export interface Agreement {
  /** Values of scalar inputs by name; tensors carry theirs. */
  readonly scalars?: Readonly<Record<string, number>>;
  /** Factor on the tolerance of each result, where the mathematics amplifies rounding: say why beside it. */
  readonly slack?: readonly number[];
  readonly labels?: readonly string[];
  /** Default: WebGPU, where there is an adapter, WebAssembly, and gpu.js. */
  readonly backends?: readonly Backend[];
}

const difference = (got: ArrayLike<number>, want: ArrayLike<number>, tolerance: number): string | null => {
  if (got.length !== want.length) return `${got.length} values, not ${want.length}`;
  let size = 1;
  for (let i = 0; i < want.length; i++) if (Number.isFinite(want[i]!)) size = Math.max(size, Math.abs(want[i]!));
  for (let i = 0; i < want.length; i++)
    if (!(Object.is(got[i], want[i]) || Math.abs(got[i]! - want[i]!) <= tolerance * size))
      return `at ${i}: ${got[i]}, not ${want[i]} (allowed ${(tolerance * size).toExponential(1)})`;
  return null;
};

/** The backends that compute: WebGPU where there is an adapter (else a counted skip), WebAssembly, and gpu.js. */
export const everyBackend = async (): Promise<readonly Backend[]> => {
  const webgpu = await webGpu();
  return [...(webgpu ? [webgpu] : []), await wasm(), gpuJs()];
};

/** Throws, naming every result that differs, unless each backend gives the interpreter's values, shapes and dtypes. */
export const agree = async (roots: readonly Node[], o: Agreement = {}): Promise<void> => {
  const bindings: Bindings = o.scalars ?? {};
  const scalars = new Map(Object.entries(o.scalars ?? {}).map(([name, v]) => [name, [v]]));
  const want = interpret(roots, scalars);
  for (const backend of o.backends ?? (await everyBackend())) {
    const got = await runGraph(backend, roots, bindings);
    const wrong = roots.flatMap((r, i) => {
      const g = got[i]!;
      const name = `${o.labels?.[i] ?? `result ${i}`}, ${describe(r)}`;
      if (describe(g) !== describe(r)) return [`${name}: is ${describe(g)}`];
      const why = difference(decode(g.data, g.dtype), want[i]!, toleranceOf[r.dtype] * (o.slack?.[i] ?? 1));
      return why === null ? [] : [`${name}: ${why}`];
    });
    if (wrong.length > 0) throw new Error(`on ${backend.name}:\n${wrong.join('\n')}`);
  }
};
