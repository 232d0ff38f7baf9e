// Reads a JSON file that a user names.
import { readJson as read } from '../data/json.ts';
import { need } from './failure.ts';

/** @throws UserFailure naming the file, where it cannot be read or is not JSON */
export const readJson = (path: string): Promise<unknown> => need(read(path));
