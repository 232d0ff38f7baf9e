// The samples of one tar of a WebDataset: members that share a name up to its first dot. Kept without an object each, for there are millions.
// Source: the WebDataset format, https://github.com/webdataset/webdataset, as img2dataset writes it (CC12M).
import * as E from 'fp-ts/lib/Either.js';
import type { DataError } from '../error.ts';
import type { OpenSource } from '../range.ts';
import { indexTar, type TarMember } from './tar.ts';

/** Which members of a sample hold what, by what follows the first dot of their names. */
export interface WebDatasetOptions {
  /** The picture. Default: the first there is of jpg, jpeg, png, webp. */
  readonly image?: string | undefined;
  /** The captions: text, one a line, or JSON with `captions`, `caption` or `text` where the name ends in json. Default: txt, else json. */
  readonly caption?: string | undefined;
  /** The class, a whole number as text. Default: cls. */
  readonly label?: string | undefined;
}

interface Range {
  readonly begin: number;
  readonly size: number;
}

/** The samples of a tar, sorted by name; functions take a sample's place. */
export interface ShardSamples {
  readonly size: number;
  /** The picture's member, or where there is none the sample's name. */
  readonly nameOf: (index: number) => string;
  readonly labelOf: (index: number) => number | null;
  /** Why its picture cannot be used, as far as the headers say. */
  readonly faultOf: (index: number) => string | undefined;
  readonly image: (index: number) => Range | null;
  readonly caption: (index: number) => Range | null;
  readonly captionIsJson: (index: number) => boolean;
  /** How many have a picture, and captions. */
  readonly pictures: number;
  readonly captions: number;
  /** What the names of members end in, a dot before each. */
  readonly extensions: readonly string[];
}

interface Sample {
  readonly members: Map<string, TarMember>;
  label: string | null;
}

/** A member's sample and the rest of its name; null for hidden files, which tools leave in archives. */
const splitName = (path: string): readonly [string, string] | null => {
  const start = path.lastIndexOf('/') + 1;
  const dot = path.indexOf('.', start);
  if (dot === start || start === path.length) return null;
  return dot === -1 ? [path, ''] : [path.slice(0, dot), path.slice(dot + 1).toLowerCase()];
};

const pick =
  (wanted: string | undefined, otherwise: readonly string[]) =>
  ({ members }: Sample): TarMember | null => {
    const names = wanted === undefined ? otherwise : [wanted.replace(/^\./, '').toLowerCase()];
    return names.flatMap((name) => members.get(name) ?? [])[0] ?? null;
  };

const dotted = (extensions: Iterable<string>): readonly string[] =>
  [...extensions].sort().map((extension) => `.${extension}`);

const table = (members: readonly (TarMember | null)[]): ((index: number) => Range | null) => {
  const begins = Float64Array.from(members, (member) => member?.begin ?? -1);
  const sizes = Float64Array.from(members, (member) => member?.size ?? 0);
  return (index) => ((begins[index] ?? -1) < 0 ? null : { begin: begins[index]!, size: sizes[index]! });
};

/** Strings in one: each by itself would keep alive the header that it was cut from. */
const packed = (strings: readonly string[]): ((index: number) => string) => {
  const text = strings.join('');
  const ends = new Uint32Array(strings.length);
  let end = 0;
  for (const [n, string] of strings.entries()) {
    end += string.length;
    ends[n] = end;
  }
  return (index) => text.slice(ends[index - 1] ?? 0, ends[index]);
};

const classOf = (label: string): number | null => (/^\d{1,9}$/.test(label) ? Number(label) : null);

const imageFault = (image: TarMember | null, { members, label }: Sample, tarSize: number): string | null => {
  if (image === null) return `it has no picture, only ${dotted(members.keys()).join(', ')}`;
  if (image.begin + image.size > tarSize) return 'the tar ends inside it: get the tar again';
  if (label !== null && classOf(label) === null) return `its class is "${label}", which is no whole number`;
  return null;
};

const tabulate = (
  samples: ReadonlyMap<string, Sample>,
  options: WebDatasetOptions,
  tarSize: number,
  cutAt: number | null,
): ShardSamples => {
  // Sorted, so that the order in which members were packed changes nothing.
  const sorted = [...samples].sort(([a], [b]) => (a < b ? -1 : 1));
  const images = sorted.map(([, sample]) => pick(options.image, ['jpg', 'jpeg', 'png', 'webp'])(sample));
  const texts = sorted.map(([, sample]) => pick(options.caption, ['txt', 'json'])(sample));
  const names = sorted.map(([key], n) => images[n]?.path ?? key);
  const faults = new Map<number, string>();
  for (const [n, [, sample]] of sorted.entries()) {
    const fault = imageFault(images[n]!, sample, tarSize);
    if (fault !== null) faults.set(n, fault);
  }
  // A sample of its own, for it must be counted and told like any other that cannot be used.
  if (cutAt !== null) {
    faults.set(names.length, `the tar ends amid a header, at byte ${cutAt}: get the tar again`);
    names.push('(end)');
  }
  return keep(
    names.length,
    packed(names),
    faults,
    Int32Array.from(sorted, ([, { label }]) => classOf(label ?? '') ?? -1),
    Uint8Array.from(texts, (text) => (/json$/i.test(text?.path ?? '') ? 1 : 0)),
    {
      image: table(images),
      caption: table(texts),
      pictures: images.filter((member) => member !== null).length,
      captions: texts.filter((member) => member !== null).length,
      extensions: dotted(new Set(sorted.flatMap(([, { members }]) => [...members.keys()]))),
    },
  );
};

/** A scope of its own: functions made here keep alive what they were given, and no headers. */
const keep = (
  size: number,
  nameOf: ShardSamples['nameOf'],
  faults: ReadonlyMap<number, string>,
  labels: Int32Array,
  json: Uint8Array,
  rest: Pick<ShardSamples, 'image' | 'caption' | 'pictures' | 'captions' | 'extensions'>,
): ShardSamples => ({
  ...rest,
  size,
  nameOf,
  labelOf: (index) => ((labels[index] ?? -1) < 0 ? null : labels[index]!),
  faultOf: (index) => faults.get(index),
  captionIsJson: (index) => json[index] === 1,
});

/** More than any class's number takes. */
const longestLabel = 32;

/** Reads a tar's headers, and the members that hold classes. Rejects with what the file system throws. */
export const indexSamples = async (
  path: string,
  source: OpenSource,
  options: WebDatasetOptions,
): Promise<E.Either<DataError, ShardSamples>> => {
  const samples = new Map<string, Sample>();
  const labels = (options.label ?? 'cls').replace(/^\./, '').toLowerCase();
  const found = await indexTar(path, source, (member, read) => {
    const name = splitName(member.path);
    if (name === null) return;
    const [key, extension] = name;
    const sample = samples.get(key) ?? { members: new Map(), label: null };
    samples.set(key, sample);
    // As when a tar is unpacked, a later member takes the place of an earlier one of its name.
    sample.members.set(extension, member);
    if (extension !== labels || read === null) return;
    sample.label = read(member.begin, Math.min(member.size, longestLabel)).toString('utf8').trim();
  });
  return E.isLeft(found) ? found : E.right(tabulate(samples, options, source.size, found.right));
};
