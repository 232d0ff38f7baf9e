// Where in the user's program a node was made: file and line, and the module path in force.

let path: readonly string[] = [];

/** Runs `f` with `name` appended to the module path of every node that it builds. */
export const withPath = <A>(name: string, f: () => A): A => {
  const before = path;
  path = [...before, name];
  try {
    return f();
  } finally {
    path = before;
  }
};

export interface Origin {
  readonly site: () => string;
  readonly path: string;
}
let origin: Origin | null = null;

/** Gives every node that `f` builds the place of `at`: a transformation's nodes belong to the node they come from. */
export const withOrigin = <A>(at: Origin, f: () => A): A => {
  const before = origin;
  origin = at;
  try {
    return f();
  } finally {
    origin = before;
  }
};

export const currentPath = (): string => origin?.path ?? path.join('.');

const here = import.meta.url.replace(/src\/dsl\/core\/[^/]*$|dsl\/core\/[^/]*$/, '');
const cwd = typeof process === 'undefined' ? '' : process.cwd();
// Frames of the language and its models, and not of a user's folders of the same names.
const root = decodeURI(import.meta.url.replace(/dsl\/core\/[^/]*$/, '').replace(/^file:\/\//, ''));
const inside = [`${root}dsl/`, `${root}models/`, 'node_modules', 'node:'];
const isLibrary = (frame: string): boolean => inside.some((part) => frame.includes(part));

const shorten = (frame: string): string | null => {
  const typed = /(?:^|[\s(])(REPL\d+:\d+|\[eval\]:\d+):\d+\)?$/.exec(frame.trim());
  if (typed?.[1]) return typed[1];
  const m = /\(?((?:file:\/\/|\/|[A-Za-z]:\\)[^()]+:\d+):\d+\)?$/.exec(frame.trim());
  if (!m?.[1]) return null;
  const place = m[1].replace(/^file:\/\//, '');
  if (cwd !== '' && place.startsWith(cwd) && !place.includes('node_modules')) return place.slice(cwd.length + 1);
  return place.startsWith(here)
    ? place.slice(here.length)
    : place
        .replace(/^file:\/\//, '')
        .split(/[/\\]/)
        .slice(-3)
        .join('/');
};

/**
 * Captures the stack now, `depth` frames of it, and formats it only when asked: `file:line` of the first frame outside the
 * language. Nodes are many and take few frames.
 */
export const captureSite = (depth = 14): (() => string) => {
  if (origin) return origin.site;
  const holder: { stack?: string } = {};
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = depth;
  Error.captureStackTrace(holder, captureSite);
  Error.stackTraceLimit = limit;
  let text: string | undefined;
  return () => {
    if (text !== undefined) return text;
    const frames = (holder.stack ?? '').split('\n').slice(1);
    const user = frames.find((f) => !isLibrary(f) && shorten(f) !== null) ?? frames.at(-1) ?? '';
    text = shorten(user) ?? '';
    return text;
  };
};
