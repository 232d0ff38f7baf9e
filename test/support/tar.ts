// Tars made by hand, header by header, so that tests can break them.
import { Header } from 'tar/header';

const padded = (bytes: Uint8Array): Buffer => {
  const out = Buffer.alloc(Math.ceil(bytes.length / 512) * 512);
  out.set(bytes);
  return out;
};

export type TarEntry = readonly [path: string, content: Uint8Array | string];

const encoded = (path: string, size: number, type: 'File' | 'NextFileHasLongPath' | 'ExtendedHeader'): Buffer => {
  const block = Buffer.alloc(512);
  const header = new Header({ path, size, mode: 0o644, mtime: new Date(0) });
  header.type = type;
  header.encode(block, 0);
  return block;
};

/** A header and its content, padded. */
export const tarMember = ([path, content]: TarEntry, type: Parameters<typeof encoded>[2] = 'File'): Buffer => {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return Buffer.concat([encoded(path, bytes.length, type), padded(bytes)]);
};

/** A whole tar, with its end. */
export const tarOf = (entries: readonly TarEntry[]): Buffer =>
  Buffer.concat([...entries.map((entry) => tarMember(entry)), Buffer.alloc(1024)]);
