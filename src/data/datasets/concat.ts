// Several data sets one after the other as one: the shards of a WebDataset, the files of a Parquet data set.
import { captionsAt, type ImageDataset, storedAt } from './dataset.ts';

/** Which part an index falls into, and the index in it. `starts` are the parts' first indices, ascending. */
const locate = (starts: readonly number[], index: number): readonly [number, number] => {
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (starts[middle]! <= index) low = middle;
    else high = middle;
  }
  return [low, index - starts[low]!];
};

/** The parts in their order; `path` is what errors about the whole name. Classes are the first part's. */
export const concatDatasets = (path: string, all: readonly ImageDataset[]): ImageDataset => {
  const parts = all.filter(({ size }) => size > 0);
  const starts: number[] = [];
  let size = 0;
  for (const part of parts) {
    starts.push(size);
    size += part.size;
  }
  const inPart =
    <A>(use: (part: ImageDataset, index: number) => A) =>
    (index: number): A => {
      const [part, local] = locate(starts, index);
      return use(parts[part]!, local);
    };
  const some = (key: 'stored' | 'captionsOf' | 'blocks'): boolean => parts.some((part) => part[key] !== undefined);
  const classes = parts[0]?.classes;
  return {
    path,
    size,
    nameOf: inPart((part, index) => part.nameOf(index)),
    labelOf: inPart((part, index) => part.labelOf(index)),
    load: inPart((part, index) => part.load(index)),
    ...(some('stored') ? { stored: inPart(storedAt) } : {}),
    ...(some('captionsOf') ? { captionsOf: inPart(captionsAt) } : {}),
    ...(some('blocks') ? { blocks: parts.flatMap((part) => part.blocks ?? [{ size: part.size, bytes: 0 }]) } : {}),
    ...(classes === undefined ? {} : { classes }),
  };
};
