// The element types of the safetensors format: their width, and the typed array that holds each.

/** Bytes of one element, for every dtype that the format names in whole bytes. */
export const dtypeBytes: ReadonlyMap<string, number> = new Map([
  ['BOOL', 1],
  ['U8', 1],
  ['I8', 1],
  ['F8_E4M3', 1],
  ['F8_E5M2', 1],
  ['F8_E8M0', 1],
  ['I16', 2],
  ['U16', 2],
  ['F16', 2],
  ['BF16', 2],
  ['I32', 4],
  ['U32', 4],
  ['F32', 4],
  ['I64', 8],
  ['U64', 8],
  ['F64', 8],
  ['C64', 8],
]);

/** A shape and its values as stored: F16 and BF16 stay raw 16-bit patterns, BOOL is one byte each. Row-major. */
export type TensorData = { readonly shape: readonly number[] } & (
  | { readonly dtype: 'F32'; readonly data: Float32Array<ArrayBuffer> }
  | { readonly dtype: 'F16' | 'BF16'; readonly data: Uint16Array<ArrayBuffer> }
  | { readonly dtype: 'F64'; readonly data: Float64Array<ArrayBuffer> }
  | { readonly dtype: 'I32'; readonly data: Int32Array<ArrayBuffer> }
  | { readonly dtype: 'U32'; readonly data: Uint32Array<ArrayBuffer> }
  | { readonly dtype: 'I64'; readonly data: BigInt64Array<ArrayBuffer> }
  | { readonly dtype: 'U8' | 'BOOL'; readonly data: Uint8Array<ArrayBuffer> }
);

/** The dtypes whose values can be read and written; the others can be listed and read as bytes. */
export type StoredDtype = TensorData['dtype'];

/** Elements of a shape. */
export const elementsOf = (shape: readonly number[]): number => shape.reduce((product, dim) => product * dim, 1);

/** Views little-endian bytes as values; null where `dtype` is not a StoredDtype. `bytes` must be a whole buffer. */
export const viewValues = (dtype: string, shape: readonly number[], bytes: ArrayBuffer): TensorData | null => {
  switch (dtype) {
    case 'F32':
      return { dtype, shape, data: new Float32Array(bytes) };
    case 'F16':
    case 'BF16':
      return { dtype, shape, data: new Uint16Array(bytes) };
    case 'F64':
      return { dtype, shape, data: new Float64Array(bytes) };
    case 'I32':
      return { dtype, shape, data: new Int32Array(bytes) };
    case 'U32':
      return { dtype, shape, data: new Uint32Array(bytes) };
    case 'I64':
      return { dtype, shape, data: new BigInt64Array(bytes) };
    case 'U8':
    case 'BOOL':
      return { dtype, shape, data: new Uint8Array(bytes) };
    default:
      return null;
  }
};
