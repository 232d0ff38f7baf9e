// One line of progress that fits a terminal: a bar, what must be read, and as many measured terms, or as much of a name, as there is room for.
import { short } from '../train/report/index.ts';

/** Names cut as short as they can be told apart, three letters of each dotted part at least. */
const shortNames = (names: readonly string[]): readonly string[] => {
  const longest = Math.max(0, ...names.map((name) => name.length));
  for (let letters = 3; letters < longest; letters++) {
    const cut = names.map((name) =>
      name
        .split('.')
        .map((part) => part.slice(0, letters))
        .join('.'),
    );
    if (new Set(cut).size === names.length) return cut;
  }
  return names;
};

const lengthOf = (parts: readonly string[]): number => parts.reduce((sum, part) => sum + part.length, 0);

/** The parts that fit, the first ones, and a sign where some don't. */
const fitting = (parts: readonly string[], room: number): readonly string[] => {
  if (lengthOf(parts) <= room) return parts;
  const more = '  …';
  const kept = parts.filter((_, i) => lengthOf(parts.slice(0, i + 1)) + more.length <= room);
  return kept.length === 0 ? [] : [...kept, more];
};

/** A head and what may stand for it in a narrow terminal: its ends, as the place and the time that is left, then its first part. */
const headsOf = (head: string): readonly string[] => {
  const parts = head.split('  ');
  const [first = '', last = ''] = [parts[0], parts.at(-1)];
  return [head, ...(parts.length > 2 ? [`${first}  ${last}`] : []), first];
};

/** Columns of the bar. */
const [LEAST, MOST] = [8, 30];

/** The end of a name that is too long says more than its beginning. */
const cut = (name: string, room: number): string => {
  if (name.length <= room) return name;
  // Not from the midst of a letter.
  return room < LEAST ? '' : `…${name.slice(1 - room).replace(/^[\udc00-\udfff]/, '')}`;
};

const bar = (progress: number, cells: number): string => {
  const full = Math.round(Math.min(1, Math.max(0, progress)) * cells);
  return `${'█'.repeat(full)}${'░'.repeat(cells - full)}`;
};

/**
 * At most `width` columns: the bar, the head, and the terms, with names and digits cut and the last left out where they don't fit; in
 * narrow terminals the head without its middle, then no bar. At the end
 * `name`, of what is being done, cut too.
 */
export const progressLine = (
  width: number,
  progress: number,
  asked: string,
  terms: Readonly<Record<string, number>>,
  name = '',
): string => {
  const heads = headsOf(asked);
  // Where there is no room for a bar beside the time, the time stays.
  const head = heads.slice(0, -1).find((one) => width - one.length - 2 >= LEAST);
  if (head === undefined) return heads.find((one) => one.length <= width) ?? asked.slice(0, Math.max(0, width));
  const room = width - head.length - 2;
  const names = Object.keys(terms);
  const values = Object.values(terms);
  const full = names.map((name, i) => `  ${name} ${short(values[i]!)}`);
  const shown =
    lengthOf(full) <= room - LEAST
      ? full
      : fitting(
          shortNames(names).map((name, i) => `  ${name} ${short(values[i]!, 3)}`),
          room - LEAST,
        );
  const rest = room - lengthOf(shown);
  const named = cut(name, rest - LEAST - 2);
  const after = named === '' ? '' : `  ${named}`;
  return `${bar(progress, Math.min(MOST, rest - after.length))}  ${head}${shown.join('')}${after}`;
};
