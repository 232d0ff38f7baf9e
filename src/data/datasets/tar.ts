// The members of a tar by its headers: where each begins and how long it is, so that members are read by range.
// Source: POSIX.1-2001 pax and GNU tar formats; headers are decoded by node-tar.
import * as E from 'fp-ts/lib/Either.js';
import { Header } from 'tar/header';
import { Pax } from 'tar/pax';
import { type DataError, datasetError } from '../error.ts';
import type { ByteSource } from '../range.ts';

export interface TarMember {
  /** As stored, with / between names. */
  readonly path: string;
  readonly begin: number;
  readonly size: number;
}

/** Reads at most so many bytes; those near what was read last cost nothing. */
export type ReadNear = (begin: number, length: number) => Promise<Buffer>;

const block = 512;

/** Bytes that one read takes: after a picture these hold its text, its JSON and the next picture's header. */
const windowBytes = 16 * 1024;

const nearby = (source: ByteSource): ReadNear => {
  let bytes = Buffer.alloc(0);
  let from = 0;
  return async (begin, length) => {
    if (begin < from || begin + length > from + bytes.length) {
      const wanted = Math.min(Math.max(length, windowBytes), source.size - begin);
      bytes = Buffer.from((await source.read(begin, wanted)).buffer);
      from = begin;
    }
    return bytes.subarray(begin - from, begin - from + length);
  };
};

const damaged = (path: string, at: number): DataError =>
  datasetError(
    path,
    at === 0
      ? 'this is not a tar, for it does not begin with a header of one'
      : `the tar is damaged: there should be a header at byte ${at}. Get the file again, or leave it out`,
  );

const isFile = (type: string): boolean => type === 'File' || type === 'OldFile' || type === 'ContiguousFile';

/** What headers of their own say of the member after them. */
type Extension = NonNullable<ConstructorParameters<typeof Header>[2]>;

/** Headers that only describe others, by type: what `content` adds to what is known. */
const extend = (type: string, content: string, known: Extension): Extension | null => {
  if (type === 'ExtendedHeader') return Pax.parse(content, known, false);
  if (type === 'NextFileHasLongPath') return { ...known, path: content.replace(/\0[\s\S]*$/, '') };
  return type === 'NextFileHasLongLinkpath' ? known : null;
};

/**
 * Tells `visit` of each regular file in a tar, in order; `read` is null for one that the tar's end cuts off. The result: the byte where
 * the tar ends amid a header, null where it ends well. Rejects with what the file system throws.
 */
export const indexTar = async (
  path: string,
  source: ByteSource,
  visit: (member: TarMember, read: ReadNear | null) => Promise<void>,
): Promise<E.Either<DataError, number | null>> => {
  const read = nearby(source);
  let own: Extension = {};
  let global: Extension = {};
  for (let at = 0; at < source.size; ) {
    if (at + block > source.size) return at === 0 ? E.left(damaged(path, at)) : E.right(at);
    const header = new Header(await read(at, block), 0, own, global);
    const { size, type } = header;
    if (header.nullBlock) break;
    if (!header.cksumValid || size === undefined) return E.left(damaged(path, at));
    const begin = at + block;
    const end = begin + size;
    at = begin + Math.ceil(size / block) * block;
    if (isFile(type)) {
      await visit({ path: header.path ?? '', begin, size }, end <= source.size ? read : null);
      own = {};
      continue;
    }
    const describes = type === 'GlobalExtendedHeader' || extend(type, '', own) !== null;
    if (!describes) own = {};
    else if (end > source.size) return E.right(begin);
    else {
      const content = (await read(begin, size)).toString('utf8');
      if (type === 'GlobalExtendedHeader') global = Pax.parse(content, global, true);
      else own = extend(type, content, own) ?? own;
    }
  }
  return E.right(null);
};
