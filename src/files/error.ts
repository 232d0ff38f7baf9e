// What the file system throws, told by its code.

/** The code of a thrown system error, such as ENOENT; empty for anything else. */
export const codeOf = (cause: unknown): string =>
  cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : '';

/** For a rejected reading: `otherwise` where the file or folder is missing; anything else is thrown on. */
export const orIfMissing =
  <A>(otherwise: A) =>
  (cause: unknown): A => {
    if (codeOf(cause) === 'ENOENT') return otherwise;
    throw cause;
  };
