// What a repository on a hub holds, and which of it is wanted.
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type DataError, hubError } from '../error.ts';
import { globMatcher, patternFault } from '../glob.ts';
import { type Repository, refused, unreachable } from './hub.ts';

/** A file's digest as the hub has it: SHA-256 of large files, git's SHA-1 of others. */
export interface Checksum {
  readonly kind: 'sha256' | 'git';
  readonly hex: string;
}

export interface HubFile {
  /** Inside the repository, with `/`. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly checksum: Checksum;
}

const statusOf = (thrown: unknown): number | null =>
  thrown instanceof Error && 'statusCode' in thrown && typeof thrown.statusCode === 'number' ? thrown.statusCode : null;

const explain =
  (repository: Repository) =>
  (thrown: unknown): DataError => {
    const status = statusOf(thrown);
    if (status !== null) return refused(repository, status);
    if (thrown instanceof TypeError) return unreachable(repository, thrown);
    const { endpoint } = repository.hub;
    return hubError(repository.name, `${endpoint} does not answer as a hub does: correct HF_ENDPOINT, or unset it`);
  };

/** A path that stays below the folder it is joined to. */
const isInner = (path: string): boolean =>
  !path.includes('\\') && path.split('/').every((name) => name !== '' && name !== '.' && name !== '..');

/** All files of a repository. Left: no such repository or revision, one that is not open, a hub that cannot be reached. */
export const listRepository = (repository: Repository): TE.TaskEither<DataError, readonly HubFile[]> =>
  pipe(
    TE.tryCatch(async () => {
      const { listFiles } = await import('@huggingface/hub');
      const { hub, name, revision } = repository;
      const files: HubFile[] = [];
      for await (const { type, path, size, oid, lfs } of listFiles({
        repo: name,
        revision: encodeURIComponent(revision),
        recursive: true,
        hubUrl: hub.endpoint,
        ...(hub.token === null ? {} : { accessToken: hub.token }),
      }))
        if (type === 'file')
          files.push({
            path,
            size: lfs?.size ?? size,
            checksum: lfs ? { kind: 'sha256', hex: lfs.oid } : { kind: 'git', hex: oid ?? '' },
          });
      return files;
    }, explain(repository)),
    TE.chain((files) => {
      const outside = files.find(({ path }) => !isInner(path));
      return outside === undefined
        ? TE.right(files)
        : TE.left(
            hubError(
              repository.name,
              `it holds '${outside.path}', which would be written elsewhere: nothing is fetched`,
            ),
          );
    }),
  );

/** What models are read from. */
const usual = ['*.safetensors', '*.json', '*.txt'];

/** A test for files: a pattern without `/` is one for names in any folder. */
const matcher = (pattern: string): ((path: string) => boolean) => {
  const matches = globMatcher(pattern);
  return pattern.includes('/') ? matches : (path) => matches(path.slice(path.lastIndexOf('/') + 1));
};

/** The files that a pattern matches; of no patterns safetensors, JSON and text. Left: a pattern that matches none, or no file at all. */
export const wantedFiles = (
  { name }: Repository,
  files: readonly HubFile[],
  patterns: readonly string[],
): TE.TaskEither<DataError, readonly HubFile[]> => {
  const held = files.length === 0 ? 'no file' : files.map(({ path }) => path).join(', ');
  const [fault] = patterns.flatMap((pattern) => {
    const reason = patternFault(pattern);
    return reason === null ? [] : [`'${pattern}': ${reason}`];
  });
  if (fault !== undefined) return TE.left(hubError(name, fault));
  const tests = (patterns.length === 0 ? usual : patterns).map((pattern) => ({ pattern, matches: matcher(pattern) }));
  const idle = tests.find(({ matches }) => !files.some(({ path }) => matches(path)));
  if (patterns.length > 0 && idle !== undefined)
    return TE.left(hubError(name, `no file matches '${idle.pattern}'; the repository holds ${held}`));
  const wanted = files.filter(({ path }) => tests.some(({ matches }) => matches(path)));
  return wanted.length > 0
    ? TE.right(wanted)
    : TE.left(hubError(name, `it holds neither safetensors nor JSON nor text, but ${held}: name files with --file`));
};
