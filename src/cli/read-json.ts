// Reads a JSON file that a user names.
import { readFile } from 'node:fs/promises';
import { tryCatch } from 'fp-ts/lib/TaskEither.js';
import { fileError } from '../data/error.ts';
import { need, UserFailure } from './failure.ts';

/** @throws UserFailure naming the file, where it cannot be read or is no JSON */
export const readJson = async (path: string): Promise<unknown> => {
  const text = await need(tryCatch(() => readFile(path, 'utf8'), fileError('read', path)));
  try {
    // A byte order mark is no part of it.
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (thrown) {
    throw new UserFailure(`${path} is not JSON: ${thrown instanceof Error ? thrown.message : thrown}`);
  }
};
