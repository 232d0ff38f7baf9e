// Reads a JSON file that a user names.
import { readText } from '../data/text.ts';
import { need, UserFailure } from './failure.ts';

/** @throws UserFailure naming the file, where it cannot be read or is no JSON */
export const readJson = async (path: string): Promise<unknown> => {
  const text = await need(readText(path));
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw new UserFailure(`${path} is not JSON: ${thrown instanceof Error ? thrown.message : thrown}`);
  }
};
