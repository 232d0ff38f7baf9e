// Patterns of file names, as shells know them: ? * ** [abc] [!a-z] {png,jpg} {0000..0255}. Node 20 has none of its own.

/** Whether a path holds any pattern at all. */
export const isPattern = (path: string): boolean => /[*?[\]{}]/.test(path);

/** Names that ranges may stand for: ten times the shards of the largest published sets. */
const MOST = 1_000_000;

const sets = /\[!?[^\]/]+\]/g;

/** Why a pattern cannot be used: ranges that stand for too many names, or a set of characters such as `[9-1]`; null where it can be. */
export const patternFault = (pattern: string): string | null => {
  const names = [...pattern.matchAll(/\{(\d+)\.\.(\d+)\}/g)].reduce(
    (product, [, first, last]) => product * (Math.abs(Number(last) - Number(first)) + 1),
    1,
  );
  if (names > MOST) return 'it stands for more than a million names: name fewer at once';
  const wrong = (pattern.match(sets) ?? []).find((set) => {
    try {
      new RegExp(token(set), 'su');
      return false;
    } catch {
      return true;
    }
  });
  return wrong === undefined ? null : `the ends of a range in ${wrong} are the wrong way round`;
};

/** `{0000..0255}` written out, in order, with as many digits as the longer end has where one begins with 0; other braces stay. */
export const expandRanges = (pattern: string): readonly string[] => {
  const range = /\{(\d+)\.\.(\d+)\}/.exec(pattern);
  if (range === null) return [pattern];
  const [text, first, last] = [range[0], range[1]!, range[2]!];
  const padded = [first, last].some((end) => end.length > 1 && end.startsWith('0'));
  const digits = padded ? Math.max(first.length, last.length) : 0;
  const [from, to] = [Number(first), Number(last)];
  const before = pattern.slice(0, range.index);
  const afters = expandRanges(pattern.slice(range.index + text.length));
  return Array.from({ length: Math.abs(to - from) + 1 }, (_, n) =>
    String(from <= to ? from + n : from - n).padStart(digits, '0'),
  ).flatMap((number) => afters.map((after) => `${before}${number}${after}`));
};

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

/** A test for folders, from the pattern's first name on: whether a file at any depth below can match. */
export const globFolders = (pattern: string): ((folder: string) => boolean) => {
  const choices = alternatives(pattern).map((one) => {
    const names = one.split('/');
    const deep = names.findIndex((name) => name.includes('**'));
    const folders = deep === -1 ? names.slice(0, -1) : names.slice(0, deep);
    return [...folders.map(segments), ...(deep === -1 ? [] : ['.*'])].reduceRight(
      (below, name) => (below === '' ? name : `${name}(?:/${below})?`),
      '',
    );
  });
  const expression = new RegExp(`^(?:${choices.filter((one) => one !== '').join('|') || '(?!)'})$`, 'su');
  return (folder) => expression.test(folder);
};

/** The leading folders of a pattern that hold no wildcard: where the search begins. */
export const globBase = (pattern: string): string => {
  const names = pattern.split('/');
  const first = names.findIndex(isPattern);
  return names.slice(0, first === -1 ? names.length - 1 : first).join('/') || (pattern.startsWith('/') ? '/' : '.');
};
