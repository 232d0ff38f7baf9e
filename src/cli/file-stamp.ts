// What changes when a file is written anew, or a folder's model: for work that goes on only with the same.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Of a folder only what a model consists of counts: reports and states may lie there too. */
const ofModel = /^(config|tokenizer)\.json$|\.model$|\.txt(\.gz)?$|(?<!\.state)\.safetensors(\.index\.json)?$/;

const stampOfFile = async (path: string): Promise<string | null> => {
  const found = await stat(path).catch(() => null);
  return found?.isFile() ? `${found.size} bytes of ${found.mtime.toISOString()}` : null;
};

/** Size and time of a file, or of each file of a folder's model. */
export const stampOf = async (path: string): Promise<string> => {
  const own = await stampOfFile(path);
  if (own !== null) return own;
  const names = (await readdir(path).catch(() => [])).filter((name) => ofModel.test(name)).sort();
  const each = await Promise.all(names.map(async (name) => `${name} ${await stampOfFile(join(path, name))}`));
  return each.join(', ') || 'no file';
};
