// Bytes by range: of an open file, of a file that is opened for each read, and of what was unpacked into memory.
import { type FileHandle, open } from 'node:fs/promises';

/** One system call reads at most 2 GiB - 1: longer ranges take several. */
const readAtMost = 1 << 30;

/** Reads `length` bytes from `begin` on; fewer where the file ends before. Throws what the file system throws. */
export const readRange = async (
  handle: FileHandle,
  begin: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> => {
  const out = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await handle.read(out, done, Math.min(length - done, readAtMost), begin + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done === length ? out : out.slice(0, done);
};

/** Something with bytes that can be read by range, any number of times. */
export interface ByteSource {
  readonly size: number;
  /** Exactly `length` bytes in a buffer of their own. Rejects with what the file system throws, or where there are fewer. */
  readonly read: (begin: number, length: number) => Promise<Uint8Array<ArrayBuffer>>;
}

const whole = (bytes: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> => {
  if (bytes.length < length) throw new Error('the file became shorter while it was in use');
  return bytes;
};

const handleRead =
  (handle: FileHandle): ByteSource['read'] =>
  async (begin, length) =>
    whole(await readRange(handle, begin, length), length);

/** Opens a file while `use` reads from it. Rejects as `open` does. */
export const withFile = async <A>(path: string, use: (source: ByteSource) => Promise<A>): Promise<A> => {
  const handle = await open(path, 'r');
  try {
    return await use({ size: (await handle.stat()).size, read: handleRead(handle) });
  } finally {
    await handle.close();
  }
};

/** A file that is opened for each read: thousands may be in use, and none needs closing. `size` is its size. */
export const fileSource = (path: string, size: number): ByteSource => ({
  size,
  read: (begin, length) => withFile(path, ({ read }) => read(begin, length)),
});

/** Bytes in memory. */
export const memorySource = (bytes: Uint8Array): ByteSource => ({
  size: bytes.length,
  read: async (begin, length) => whole(new Uint8Array(bytes.subarray(begin, begin + length)), length),
});
