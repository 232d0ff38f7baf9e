// One file from a hub: continued where an earlier transfer stopped, checked against its checksum, renamed when whole.
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import * as E from 'fp-ts/lib/Either.js';
import type * as TE from 'fp-ts/lib/TaskEither.js';
import { makeFolder } from '../../files/folder.ts';
import { codeOf, type DataError, DataFailure, fileError, hubError } from '../error.ts';
import { authorization, fileUrl, isPassing, type Repository, refused, retryAfter, unreachable } from './hub.ts';
import type { HubFile } from './list.ts';

export interface DownloadOptions {
  /** Told of bytes that are there: how many more, or fewer where a transfer begins anew, and whether they were fetched just now. */
  readonly onBytes?: (change: number, fetched: boolean) => void;
  /** Milliseconds before a transfer that came no further is tried again, longer each time. Default 1000. */
  readonly pause?: number;
  /** Milliseconds without a byte after which a transfer counts as stopped. Default 30,000. */
  readonly silence?: number;
}

/** Transfers in a row that may come no further. */
const PATIENCE = 3;

const rethrow =
  (path: string) =>
  (cause: unknown): never => {
    throw new DataFailure(fileError('write', path)(cause));
  };

const sizeOf = async (path: string): Promise<number | null> => {
  const found = await stat(path).catch((thrown: unknown) => {
    if (codeOf(thrown) === 'ENOENT' || codeOf(thrown) === 'ENOTDIR') return null;
    throw thrown;
  });
  return found?.isFile() ? found.size : null;
};

/** The beginning of a file's digest: git's covers a header with the size. */
const digestOf = ({ checksum, size }: HubFile): Hash =>
  checksum.kind === 'sha256' ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`);

const hashFile = async (path: string, hash: Hash): Promise<Hash> => {
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash;
};

const isWhole = async (path: string, file: HubFile): Promise<boolean> =>
  (await sizeOf(path)) === file.size && (await hashFile(path, digestOf(file))).digest('hex') === file.checksum.hex;

interface Transfer {
  readonly repository: Repository;
  readonly file: HubFile;
  readonly part: string;
  readonly onBytes: NonNullable<DownloadOptions['onBytes']>;
  readonly silence: number;
}

/** Aborts what waits on a server that says nothing for `silence` ms; `heard` begins the wait anew. */
const watch = (
  silence: number,
): { readonly signal: AbortSignal; readonly heard: () => void; readonly end: () => void } => {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new Error(`nothing came for ${silence / 1000} s`)), silence);
  return { signal: controller.signal, heard: () => void timer.refresh(), end: () => clearTimeout(timer) };
};

/** An answer that may be another one a little later. */
class Busy extends Error {
  readonly status: number;
  /** Milliseconds that the hub asks to wait. */
  readonly wait: number;
  constructor({ status, headers }: Response) {
    super(`the answer is ${status}`);
    this.status = status;
    this.wait = retryAfter(headers.get('retry-after'), Date.now());
  }
}

/** Whether an answer goes on at byte `at`; false where it begins anew. @throws DataFailure for an answer that is neither */
const goesOn = ({ repository, file }: Transfer, answer: Response, at: number): boolean => {
  if (answer.status === 206 && answer.headers.get('content-range')?.startsWith(`bytes ${at}-`)) return true;
  if (answer.status === 200) return false;
  throw new DataFailure(refused(repository, answer.status, file.path));
};

/** One request for what is missing, appended to the part. Throws what the network throws, or Busy: what came until then is kept. */
const transfer = async (t: Transfer): Promise<void> => {
  const at = (await sizeOf(t.part)) ?? 0;
  if (at === t.file.size && at > 0) return;
  const headers = { ...authorization(t.repository.hub), 'accept-encoding': 'identity' };
  const range = at > 0 ? { range: `bytes=${at}-` } : {};
  const { signal, heard, end } = watch(t.silence);
  try {
    const answer = await fetch(fileUrl(t.repository, t.file.path), { headers: { ...headers, ...range }, signal });
    heard();
    if (isPassing(answer.status)) {
      await answer.body?.cancel();
      throw new Busy(answer);
    }
    const append = goesOn(t, answer, at);
    if (!append) t.onBytes(-at, false);
    const handle = await open(t.part, append ? 'a' : 'w').catch(rethrow(t.part));
    try {
      for await (const chunk of answer.body ?? []) {
        heard();
        await handle.writeFile(chunk).catch(rethrow(t.part));
        t.onBytes(chunk.length, true);
      }
      await handle.sync().catch(rethrow(t.part));
    } finally {
      await handle.close();
    }
  } finally {
    end();
  }
};

/** Fetches until the part is as long as the file. @throws DataFailure where nothing more comes */
const fetchPart = async (t: Transfer, pause: number): Promise<void> => {
  const { repository, file, part } = t;
  let still = 0;
  for (;;) {
    const before = (await sizeOf(part)) ?? 0;
    const stopped = await transfer(t).then(
      () => null,
      (thrown: unknown) => {
        if (thrown instanceof DataFailure) throw thrown;
        return thrown;
      },
    );
    const now = (await sizeOf(part)) ?? 0;
    if (stopped === null && now >= file.size) return;
    still = now > before ? 0 : still + 1;
    const busy = stopped instanceof Busy ? stopped : null;
    if (still === PATIENCE && busy !== null) throw new DataFailure(refused(repository, busy.status, file.path));
    if (still === PATIENCE)
      throw new DataFailure(
        now === 0
          ? unreachable(repository, stopped)
          : hubError(
              repository.name,
              `${file.path}: the transfer stopped after ${now} of ${file.size} bytes: run the command again, it goes on from there`,
            ),
      );
    if (still > 0) await after(Math.max(pause * still, busy?.wait ?? 0));
  }
};

const download = async (
  repository: Repository,
  file: HubFile,
  folder: string,
  { onBytes = () => undefined, pause = 1000, silence = 30_000 }: DownloadOptions,
): Promise<boolean> => {
  const target = join(folder, file.path);
  const part = `${target}.part`;
  if (await isWhole(target, file)) {
    onBytes(file.size, false);
    return false;
  }
  await makeFolder(dirname(target)).catch(rethrow(target));
  const t: Transfer = { repository, file, part, onBytes, silence };
  const kept = (await sizeOf(part)) ?? 0;
  onBytes(kept, false);
  if (kept <= file.size) await fetchPart(t, pause);
  // What was kept may be of another revision.
  if (kept > 0 && !(await isWhole(part, file))) {
    onBytes(-((await sizeOf(part)) ?? 0), false);
    await rm(part);
    await fetchPart(t, pause);
  }
  if (!(await isWhole(part, file))) {
    await rm(part);
    const reason = `${file.path} does not have the checksum that the hub states: it was not kept; run the command again`;
    throw new DataFailure(hubError(repository.name, reason));
  }
  await rename(part, target).catch(rethrow(target));
  return true;
};

/**
 * Fetches a file into `folder`, where its path is as in the repository; a `.part` beside it that was left is continued. Right: whether
 * it was fetched; false where it is there and whole. Left: the hub refuses, cannot be reached, stops or sends something else; a file
 * that cannot be written.
 */
export const downloadFile =
  (
    repository: Repository,
    file: HubFile,
    folder: string,
    options: DownloadOptions = {},
  ): TE.TaskEither<DataError, boolean> =>
  async () => {
    try {
      return E.right(await download(repository, file, folder, options));
    } catch (thrown) {
      return E.left(thrown instanceof DataFailure ? thrown.error : fileError('read', join(folder, file.path))(thrown));
    }
  };
