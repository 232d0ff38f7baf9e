// The safetensors format. Read in this order: dtype, half, header, file, locate, reader; then writer, shards.
export type { StoredDtype, TensorData } from './dtype.ts';
export { elementsOf } from './dtype.ts';
export { bf16FromFloats, f16FromFloats, floatsFromBf16, floatsFromF16 } from './half.ts';
export type { TensorInfo } from './header.ts';
export type { FloatTensor, RawTensor, Safetensors } from './reader.ts';
export { openSafetensors, readAllValues, withSafetensors } from './reader.ts';
export { writeShards } from './shards.ts';
export type { PendingTensor, WriteOptions } from './writer.ts';
export { writeSafetensors, writeSafetensorsFrom } from './writer.ts';
