// Bytes by range: of an open file, of a file that is opened for each read, and of what was unpacked into memory.
import { readSync } from 'node:fs';
import { open } from 'node:fs/promises';

/** One system call reads at most 2 GiB - 1: longer ranges take several. */
const readAtMost = 1 << 30;

/** An open file, as Node's handles are: said so that the package's types need none of Node's. */
export interface OpenFile {
  readonly read: (
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ) => Promise<{ readonly bytesRead: number }>;
}

/** Reads `length` bytes from `begin` on; fewer where the file ends before. Throws what the file system throws. */
export const readRange = async (handle: OpenFile, begin: number, length: number): Promise<Uint8Array<ArrayBuffer>> => {
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

/** One that is open: short reads in great number cost a fraction when they do not wait for a thread of the pool. */
export interface OpenSource extends ByteSource {
  /** Fills `target` with the bytes from `begin` on, as many as there are, and returns how many. Throws what the file system throws. */
  readonly readInto: (target: Uint8Array, begin: number) => number;
}

const whole = (bytes: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> => {
  if (bytes.length < length) throw new Error('the file became shorter while it was in use');
  return bytes;
};

/** Opens a file while `use` reads from it. Rejects as `open` does. */
export const withFile = async <A>(path: string, use: (source: OpenSource) => Promise<A>): Promise<A> => {
  const handle = await open(path, 'r');
  try {
    return await use({
      size: (await handle.stat()).size,
      read: async (begin, length) => whole(await readRange(handle, begin, length), length),
      readInto: (target, begin) => readSync(handle.fd, target, 0, target.length, begin),
    });
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
export const memorySource = (bytes: Uint8Array): OpenSource => ({
  size: bytes.length,
  read: async (begin, length) => whole(new Uint8Array(bytes.subarray(begin, begin + length)), length),
  readInto: (target, begin) => {
    const part = bytes.subarray(begin, begin + target.length);
    target.set(part);
    return part.length;
  },
});
