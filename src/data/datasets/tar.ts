// The members of a tar by its headers: where each begins and how long it is, so that members are read by range.
// Source: POSIX.1-2001 pax and GNU tar formats; headers are decoded by node-tar.
import { setImmediate } from 'node:timers/promises';
import * as E from 'fp-ts/lib/Either.js';
import { Header } from 'tar/header';
import { Pax } from 'tar/pax';
import { type DataError, datasetError } from '../error.ts';
import type { OpenSource } from '../range.ts';

export interface TarMember {
  /** As stored, with / between names. */
  readonly path: string;
  readonly begin: number;
  readonly size: number;
}

/** Reads bytes that are valid until the next reading; those near what was read last cost nothing. */
export type ReadNear = (begin: number, length: number) => Buffer;

const block = 512;

/** Bytes that one read takes: after a picture these hold its text, its JSON and the next picture's header. */
const windowBytes = 8 * 1024;

/** Headers after which other work gets its turn. */
const turn = 1024;

const nearby = (source: OpenSource): ReadNear => {
  const window = Buffer.alloc(windowBytes);
  let from = 0;
  let held = 0;
  return (begin, length) => {
    if (length > windowBytes) {
      const long = Buffer.alloc(length);
      return long.subarray(0, source.readInto(long, begin));
    }
    if (begin < from || begin + length > from + held) {
      held = source.readInto(window, begin);
      from = begin;
    }
    return window.subarray(begin - from, Math.min(begin - from + length, held));
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
  source: OpenSource,
  visit: (member: TarMember, read: ReadNear | null) => void,
): Promise<E.Either<DataError, number | null>> => {
  const read = nearby(source);
  let own: Extension = {};
  let global: Extension = {};
  for (let at = 0, headers = 1; at < source.size; headers++) {
    if (headers % turn === 0) await setImmediate();
    if (at + block > source.size) return at === 0 ? E.left(damaged(path, at)) : E.right(at);
    const header = new Header(read(at, block), 0, own, global);
    const { size, type } = header;
    if (header.nullBlock) break;
    if (!header.cksumValid || size === undefined) return E.left(damaged(path, at));
    const begin = at + block;
    const end = begin + size;
    at = begin + Math.ceil(size / block) * block;
    if (isFile(type)) {
      visit({ path: header.path ?? '', begin, size }, end <= source.size ? read : null);
      own = {};
      continue;
    }
    const describes = type === 'GlobalExtendedHeader' || extend(type, '', own) !== null;
    if (!describes) own = {};
    else if (end > source.size) return E.right(begin);
    else {
      const content = read(begin, size).toString('utf8');
      if (type === 'GlobalExtendedHeader') global = Pax.parse(content, global, true);
      else own = extend(type, content, own) ?? own;
    }
  }
  return E.right(null);
};
