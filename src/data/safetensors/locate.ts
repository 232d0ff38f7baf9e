// From a user's path to the files that hold the tensors: one file, an index of shards, or a folder with either.
import { readdir, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, normalize } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { z } from 'zod';
import { type DataError, fileError, safetensorsError } from '../error.ts';
import { parseJson } from '../json.ts';
import { readText } from '../text.ts';
import { duplicateKey } from './header.ts';

export interface Located {
  readonly files: readonly string[];
  /** For a sharded checkpoint: the file in which the index places each tensor. */
  readonly placed: ReadonlyMap<string, string>;
}

const indexSuffix = '.safetensors.index.json';
const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

const readIndex = async (path: string): Promise<E.Either<DataError, Located>> => {
  const text = await readText(path)();
  if (E.isLeft(text)) return text;
  const fail = (tensor: string | null, reason: string) => E.left(safetensorsError(path, tensor, reason));
  const json = parseJson(path, text.right);
  if (E.isLeft(json)) return json;
  const index = indexSchema.safeParse(json.right);
  if (!index.success) return fail(null, 'the index has no "weight_map" from tensor names to file names');
  const duplicate = duplicateKey(text.right);
  if (duplicate !== null) return fail(duplicate, 'the name occurs twice in the index');
  const placed = new Map<string, string>();
  for (const [name, file] of Object.entries(index.data.weight_map)) {
    if (file === '' || isAbsolute(file) || normalize(file).startsWith('..'))
      return fail(name, `the index points outside its folder: "${file}"`);
    placed.set(name, join(dirname(path), file));
  }
  return E.right({ files: [...new Set(placed.values())].sort(), placed });
};

const oneFile = (path: string): Located => ({ files: [path], placed: new Map() });

const inFolder = async (folder: string): Promise<E.Either<DataError, Located>> => {
  const names = (await readdir(folder)).sort();
  const index = names.filter((name) => name.endsWith(indexSuffix));
  const single = names.filter((name) => name.endsWith('.safetensors'));
  const preferred = names.find((name) => name === `model${indexSuffix}`) ?? (index.length === 1 ? index[0] : undefined);
  if (preferred !== undefined) return readIndex(join(folder, preferred));
  if (single.includes('model.safetensors')) return E.right(oneFile(join(folder, 'model.safetensors')));
  if (single.length === 1 && single[0] !== undefined) return E.right(oneFile(join(folder, single[0])));
  const reason =
    single.length === 0
      ? `the folder holds neither model${indexSuffix} nor a .safetensors file`
      : `the folder holds ${single.length} .safetensors files and no index: name one of ${single.slice(0, 4).join(', ')}`;
  return E.left(safetensorsError(folder, null, reason));
};

/** `path` is a .safetensors file, a *.safetensors.index.json, or a folder that holds one of them. */
export const locate = async (path: string): Promise<E.Either<DataError, Located>> => {
  try {
    if ((await stat(path)).isDirectory()) return await inFolder(path);
    return path.endsWith('.json') ? await readIndex(path) : E.right(oneFile(path));
  } catch (cause) {
    return E.left(fileError('read', path)(cause));
  }
};
