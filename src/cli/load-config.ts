// Loads a configuration that a user wrote as a program or as JSON: TypeScript needs no build step, and no installed dualtoken.
import { Console } from 'node:console';
import { readFile } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tryCatch } from 'fp-ts/lib/TaskEither.js';
import { fileError } from '../data/error.ts';
import { ConfigFailure } from '../train/failure.ts';
import { need, UserFailure } from './failure.ts';
import { readJson } from './read-json.ts';

const programs: ReadonlySet<string> = new Set(['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs']);

/** This package under its own names, as the running command has it: a configuration's folder may hold none, or another version. */
const ownModules = async (): Promise<Record<string, unknown>> => ({
  dualtoken: await import('../index.ts'),
  'dualtoken/models': await import('../models/index.ts'),
  'dualtoken/train': await import('../train/index.ts'),
  'dualtoken/data': await import('../data/index.ts'),
  'dualtoken/eval': await import('../eval/index.ts'),
});

const own = fileURLToPath(new URL('..', import.meta.url));

/** The first line of a stack that is a user's. */
const placeIn = (stack: string): string | null => {
  const places = [...stack.matchAll(/(?:\(|at )(?:file:\/\/)?(\/[^()\n]+|[A-Za-z]:[^()\n]+):(\d+):\d+\)?$/gm)];
  const found = places.find(([, file = '']) => !file.startsWith(own) && !/[/\\]node_modules[/\\]/.test(file));
  return found === undefined ? null : `${found[1]}:${found[2]}`;
};

/** One sentence for whatever loading `path` threw. */
const explain = (path: string, thrown: unknown): string => {
  if (thrown instanceof ConfigFailure) return `${path}:\n  ${thrown.faults.join('\n  ')}`;
  if (!(thrown instanceof Error)) return `${path} throws while it is loaded: ${String(thrown)}`;
  const syntax = /^ParseError: (.*?)\.?\s*\n ([^\n]+:\d+):\d+\s*$/s.exec(thrown.message);
  if (syntax) return `${syntax[2]}: syntax error: ${syntax[1]}`;
  const missing = /^Cannot find module '([^']+)'\nRequire stack:\n- ([^\n]+)/.exec(thrown.message);
  if (missing) return `${missing[2]} imports '${missing[1]}', which is not there: correct its name, or install it`;
  return `${placeIn(thrown.stack ?? '') ?? path} throws while it is loaded: ${thrown.message}`;
};

const printing = ['log', 'info', 'debug', 'dir', 'table', 'group', 'groupEnd', 'count', 'timeEnd', 'timeLog'] as const;

/** What `work` prints goes to standard error: standard output is the command's, one JSON object by --json. */
const printingAside = async <A>(work: () => Promise<A>): Promise<A> => {
  const methodsOf = (from: Console) => Object.fromEntries(printing.map((name) => [name, from[name]]));
  const own = methodsOf(console);
  Object.assign(console, methodsOf(new Console(process.stderr)));
  try {
    return await work();
  } finally {
    Object.assign(console, own);
  }
};

/** What a program exports by default. */
const exportOf = async (file: string, path: string): Promise<unknown> => {
  const { createJiti } = await import('jiti');
  const jiti = createJiti(file, { fsCache: false, interopDefault: false, virtualModules: await ownModules() });
  const exported = await jiti.import<Readonly<Record<string, unknown>>>(file).catch((thrown: unknown) => {
    throw new UserFailure(explain(path, thrown));
  });
  if (exported.default === undefined)
    throw new UserFailure(`${path} has no default export: it must end in 'export default { ... }'`);
  return exported.default instanceof Promise
    ? exported.default.catch((thrown: unknown) => {
        throw new UserFailure(explain(path, thrown));
      })
    : exported.default;
};

/**
 * The default export of a program (.ts, .mts, .cts, .js, .mjs, .cjs), or what a .json file holds. Types are taken out, not checked.
 * @throws UserFailure naming the file, and the line where there is one: missing, of another kind, a syntax error, an error while it
 * is loaded, no default export
 */
export const loadConfig = async (path: string): Promise<unknown> => {
  const kind = extname(path).toLowerCase();
  if (kind === '.json') return readJson(path);
  const file = resolve(path);
  await need(tryCatch(() => readFile(file), fileError('read', path)));
  if (!programs.has(kind))
    throw new UserFailure(`${path} is no configuration: its name must end in .ts, .js, .mjs or .json`);
  return printingAside(() => exportOf(file, path));
};
