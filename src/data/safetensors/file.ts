// One open safetensors file: its header, and its bytes by range. Nothing else is held in memory.
import { type FileHandle, open } from 'node:fs/promises';
import * as E from 'fp-ts/lib/Either.js';
import { type DataError, fileError, safetensorsError } from '../error.ts';
import { readRange } from '../range.ts';
import { type Header, lengthBytes, parseHeader, parseLength, type TensorInfo } from './header.ts';

export interface OpenFile extends Header {
  /** The bytes of one tensor, in a buffer of their own. */
  readonly bytes: (info: TensorInfo) => Promise<E.Either<DataError, ArrayBuffer>>;
  readonly close: () => Promise<void>;
}

const readTensor =
  (handle: FileHandle, path: string) =>
  async (info: TensorInfo): Promise<E.Either<DataError, ArrayBuffer>> => {
    try {
      const bytes = await readRange(handle, info.begin, info.end - info.begin);
      return bytes.length === info.end - info.begin
        ? E.right(bytes.buffer)
        : E.left(safetensorsError(path, info.name, 'the file became shorter while it was open'));
    } catch (cause) {
      return E.left(fileError('read', path)(cause));
    }
  };

const readHeader = async (handle: FileHandle, path: string): Promise<E.Either<DataError, Header>> => {
  const { size } = await handle.stat();
  const length = parseLength(path, await readRange(handle, 0, Math.min(lengthBytes, size)), size);
  if (E.isLeft(length)) return length;
  return parseHeader(path, await readRange(handle, lengthBytes, length.right), size);
};

/** Opens a file and checks its header. The caller closes it. */
export const openFile = async (path: string): Promise<E.Either<DataError, OpenFile>> => {
  let handle: FileHandle | null = null;
  try {
    handle = await open(path, 'r');
    const opened = handle;
    const header = await readHeader(opened, path);
    if (E.isRight(header))
      return E.right({ ...header.right, bytes: readTensor(opened, path), close: () => opened.close() });
    await opened.close();
    return header;
  } catch (cause) {
    await handle?.close().catch(() => undefined);
    return E.left(fileError('read', path)(cause));
  }
};
