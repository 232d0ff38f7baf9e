// What both of ONNX Runtime's packages share: names of types, values as numbers, which attention a device stands for.
import { floatsFromF16 } from '../../../src/data/safetensors/half.ts';
import type { AttentionStyle } from '../../onnx/attention.ts';
import type { ElementType } from '../../onnx/graph.ts';
import type { Model } from '../../onnx/model.ts';

/** ONNX Runtime's names of ONNX's element types. */
export const typeNames = { f32: 'float32', f16: 'float16', i64: 'int64' } as const satisfies Record<
  ElementType,
  string
>;

/** A model's result in the order of its workload. */
export const numbersOf = ({ output: { type }, reorder }: Model, data: ArrayBufferView): ArrayLike<number> => {
  const { buffer, byteOffset: at, byteLength: bytes } = data;
  if (type === 'f16') return floatsFromF16(new Uint16Array(buffer, at, bytes / 2));
  if (type === 'i64') return Int32Array.from(new BigInt64Array(buffer, at, bytes / 8), Number);
  const values = new Float32Array(new Float32Array(buffer, at, bytes / 4));
  return reorder ? reorder(values) : values;
};

/** Fused on the processor, where it is right, and where it is asked for. */
export const attentionOf = (device: string): AttentionStyle => (device === 'webgpu' ? 'plain' : 'fused');
