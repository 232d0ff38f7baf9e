// What is wrong with a configuration, a sentence each: unknown keys with the nearest that there is, or all that there are.
import type { z } from 'zod';

/** Levenshtein distance. */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row.at(-1)!;
};

/** The known word that someone who wrote `word` may have meant. */
const nearest = (word: string, known: readonly string[]): string | undefined => {
  const far = Math.max(2, Math.floor(word.length / 3));
  const [best] = known
    .map((k) => ({ k, d: distance(word.toLowerCase(), k.toLowerCase()) }))
    .sort((a, b) => a.d - b.d || (a.k < b.k ? -1 : 1));
  return best !== undefined && best.d <= far ? best.k : undefined;
};

/** Keys of the object at a path of an example that has every key. */
const keysAt = (example: unknown, path: readonly PropertyKey[]): readonly string[] => {
  const at = path.reduce<unknown>(
    (o, key) => (typeof o === 'object' && o !== null ? Reflect.get(o, key) : undefined),
    example,
  );
  return typeof at === 'object' && at !== null ? Object.keys(at) : [];
};

type Issue = z.core.$ZodIssue;

/** What is wrong with the form that was meant, where there are several: the first that takes values of the given type. */
const meant = (issue: Issue): readonly Issue[] => {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue];
  const ofType = (one: readonly Issue[]) => !one.some(({ code, path }) => code === 'invalid_type' && path.length === 0);
  const found = issue.errors.find(ofType);
  if (found !== undefined) return found.flatMap((one) => meant({ ...one, path: [...issue.path, ...one.path] }));
  const types = issue.errors.flat().flatMap((one) => (one.code === 'invalid_type' ? [one.expected] : []));
  return [{ ...issue, message: `expected ${[...new Set(types)].join(' or ')}` }];
};

/** One sentence for each thing that is wrong, with its path. `example` has every key that may be there. */
export const configFaults = (error: z.core.$ZodError, example: unknown): readonly string[] =>
  error.issues.flatMap(meant).flatMap((issue) => {
    const at = issue.path.join('.');
    if (issue.code !== 'unrecognized_keys') return [`${at || 'the configuration'}: ${issue.message}`];
    const known = keysAt(example, issue.path);
    return issue.keys.map((key) => {
      const near = nearest(key, known);
      const hint = near !== undefined ? `the nearest is '${near}'` : `there are ${known.join(', ')}`;
      return `${at ? `${at}.` : ''}${key}: there is no such key${known.length > 0 ? `; ${hint}` : ''}`;
    });
  });
