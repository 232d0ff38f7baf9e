// Everything that can be wrong with a user's files, as one union, and the sentence shown for each.
import * as E from 'fp-ts/lib/Either.js';
import { match } from 'ts-pattern';
import { codeOf } from '../files/error.ts';

export { codeOf, orIfMissing } from '../files/error.ts';

/** The file system refused: missing, not permitted, full. */
export interface FileError {
  readonly _tag: 'FileError';
  readonly action: 'read' | 'write' | 'list';
  readonly path: string;
  readonly reason: string;
}

/** A safetensors file or index that breaks the format, or a tensor that is not what was asked for. */
export interface SafetensorsError {
  readonly _tag: 'SafetensorsError';
  readonly path: string;
  readonly tensor: string | null;
  readonly reason: string;
}

/** A file that is not a picture, or a picture that does not decode. */
export interface ImageError {
  readonly _tag: 'ImageError';
  readonly path: string;
  readonly reason: string;
}

/** A data set, folder or pattern that yields nothing usable. */
export interface DatasetError {
  readonly _tag: 'DatasetError';
  readonly path: string;
  readonly reason: string;
}

/** A tokenizer of texts that cannot be read, or does not fit its model. */
export interface TokenizerError {
  readonly _tag: 'TokenizerError';
  readonly path: string;
  readonly reason: string;
}

/** A hub of models that cannot be reached, refuses, or sends something else than it says. */
export interface HubError {
  readonly _tag: 'HubError';
  readonly repository: string;
  readonly reason: string;
}

export type DataError = FileError | SafetensorsError | ImageError | DatasetError | TokenizerError | HubError;

/** An error of data as something thrown, where code between promises has no other way out. */
export class DataFailure extends Error {
  override readonly name = 'DataFailure';
  readonly error: DataError;
  constructor(error: DataError) {
    super(renderDataError(error));
    this.error = error;
  }
}

/** The value. @throws DataFailure with the error */
export const orThrow = <A>(result: E.Either<DataError, A>): A => {
  if (E.isLeft(result)) throw new DataFailure(result.left);
  return result.right;
};

const meaning: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied: choose another folder or change its permissions',
  EPERM: 'operation not permitted: choose another folder or change its permissions',
  EROFS: 'the file system is read-only: choose another folder',
  ENOSPC: 'no space left on the device: free some, or choose another folder',
  EDQUOT: 'disk quota exceeded: free some space, or choose another folder',
  EFBIG: 'the file would be larger than the system allows',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EISDIR: 'this is a folder, not a file',
  EEXIST: 'a file of that name is in the way',
  EMFILE: 'too many open files',
};

/** The plain meaning of a thrown system error; its own message where the code is unknown. */
export const describeCause = (cause: unknown): string =>
  cause instanceof Error ? (meaning[codeOf(cause)] ?? cause.message) : String(cause);

export const fileError =
  (action: FileError['action'], path: string) =>
  (cause: unknown): DataError => ({
    _tag: 'FileError',
    action,
    path,
    reason:
      action === 'write' && codeOf(cause) === 'ENOENT'
        ? 'its folder is missing and cannot be made: choose another folder'
        : describeCause(cause),
  });

export const safetensorsError = (path: string, tensor: string | null, reason: string): DataError => ({
  _tag: 'SafetensorsError',
  path,
  tensor,
  reason,
});

export const imageError = (path: string, reason: string): DataError => ({ _tag: 'ImageError', path, reason });

export const datasetError = (path: string, reason: string): DataError => ({ _tag: 'DatasetError', path, reason });

export const tokenizerError = (path: string, reason: string): DataError => ({ _tag: 'TokenizerError', path, reason });

/** Text of others as a terminal may show it: characters that would steer it, or break the line, are replaced. */
export const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd');

/** `reason` may hold what a hub says. */
export const hubError = (repository: string, reason: string): DataError => ({
  _tag: 'HubError',
  repository,
  reason: printable(reason),
});

/** One line for a person: what failed, on which file (and tensor), why, and what to do where that is known. */
export const renderDataError = (error: DataError): string =>
  match(error)
    .with({ _tag: 'FileError' }, (e) => `cannot ${e.action} ${e.path}: ${e.reason}`)
    .with({ _tag: 'SafetensorsError' }, (e) =>
      e.tensor === null
        ? `safetensors ${e.path}: ${e.reason}`
        : `safetensors ${e.path}, tensor "${e.tensor}": ${e.reason}`,
    )
    .with({ _tag: 'ImageError' }, (e) => `image ${e.path}: ${e.reason}`)
    .with({ _tag: 'DatasetError' }, (e) => `data ${e.path}: ${e.reason}`)
    .with({ _tag: 'HubError' }, (e) => `${e.repository}: ${e.reason}`)
    .with({ _tag: 'TokenizerError' }, (e) => `tokenizer ${e.path}: ${e.reason}`)
    .exhaustive();
