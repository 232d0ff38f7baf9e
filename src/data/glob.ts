// Patterns of file names, as shells know them: ? * ** [abc] [!a-z] {png,jpg}. Node 20 has none of its own.

/** Whether a path holds any pattern at all. */
export const isPattern = (path: string): boolean => /[*?[\]{}]/.test(path);

const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');

/** `{a,b}` into alternatives, innermost first. */
const alternatives = (pattern: string): readonly string[] => {
  const group = /\{([^{}]*)\}/.exec(pattern);
  if (group === null) return [pattern];
  const [before, after] = [pattern.slice(0, group.index), pattern.slice(group.index + group[0].length)];
  return group[1]!.split(',').flatMap((choice) => alternatives(`${before}${choice}${after}`));
};

const token = (text: string): string => {
  if (text === '**/') return '(?:(?!\\.)[^/]+/)*';
  if (text === '**') return '.*';
  if (text === '*') return '[^/]*';
  if (text === '?') return '[^/]';
  if (text.length > 1) return `[${text.slice(1, -1).replace(/^!/, '^').replaceAll('\\', '\\\\')}]`;
  return literal(text);
};

const segments = (pattern: string): string =>
  // At the start of a name a wildcard does not stand for a dot: hidden files must be asked for.
  [...pattern.matchAll(/\*\*\/|\*\*|\[!?[^\]/]+\]|[\s\S]/g)]
    .map(({ 0: text, index }) => {
      const startsName = index === 0 || pattern[index - 1] === '/';
      return startsName && /^[*?[]/.test(text) && text !== '**/' ? `(?!\\.)${token(text)}` : token(text);
    })
    .join('');

/** A test for whole paths, with `/` between names. */
export const globMatcher = (pattern: string): ((path: string) => boolean) => {
  const expression = new RegExp(`^(?:${alternatives(pattern).map(segments).join('|')})$`, 'su');
  return (path) => expression.test(path);
};

/** The leading folders of a pattern that hold no wildcard: where the search begins. */
export const globBase = (pattern: string): string => {
  const names = pattern.split('/');
  const first = names.findIndex(isPattern);
  return names.slice(0, first === -1 ? names.length - 1 : first).join('/') || (pattern.startsWith('/') ? '/' : '.');
};
