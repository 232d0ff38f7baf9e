// Decoded pictures kept in memory, up to a number of bytes; beside them only a few are decoded ahead.
import * as E from 'fp-ts/lib/Either.js';
import type { DataError } from '../error.ts';
import type { Picture } from '../images/index.ts';
import type { ImageDataset } from './dataset.ts';

/** Pictures that are decoded at once while it is not known whether they will be kept: as many as libuv has threads. */
const ahead = 4;

/** Lets `most` in at once; the others wait for their turn, in order. */
const turnstile = (most: number) => {
  const waiting: (() => void)[] = [];
  let free = most;
  return {
    enter: (): Promise<void> => {
      if (free === 0) return new Promise((resolve) => waiting.push(resolve));
      free--;
      return Promise.resolve();
    },
    leave: (): void => {
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    },
  };
};

/**
 * Keeps decoded pictures in memory, up to `bytes` of pixels (3 a pixel); the rest are decoded each time. Beside those that are kept
 * `stored` decodes four at once, and none once one did not fit: it is left to the threads.
 */
export const cached = (dataset: ImageDataset, bytes: number): ImageDataset => {
  const kept = new Map<number, Picture>();
  let room = bytes;
  let full = room <= 0;
  const keep = (index: number, picture: Picture): void => {
    if (kept.has(index)) return;
    full ||= picture.data.length > room;
    if (picture.data.length > room) return;
    kept.set(index, picture);
    room -= picture.data.length;
  };
  const load = (index: number) => async (): Promise<E.Either<DataError, Picture>> => {
    const known = kept.get(index);
    if (known !== undefined) return E.right(known);
    const loaded = await dataset.load(index)();
    if (E.isRight(loaded)) keep(index, loaded.right);
    return loaded;
  };
  const { stored } = dataset;
  if (stored === undefined) return { ...dataset, load };
  const { enter, leave } = turnstile(ahead);
  const loadInTurn = async (index: number): Promise<E.Either<DataError, Picture> | null> => {
    await enter();
    try {
      return full && !kept.has(index) ? null : await load(index)();
    } finally {
      leave();
    }
  };
  return {
    ...dataset,
    load,
    stored: (index) => async () => {
      const known = kept.get(index);
      if (known !== undefined) return E.right(known);
      return (full ? null : await loadInTurn(index)) ?? stored(index)();
    },
  };
};
