// Recall of pictures by captions and of captions by pictures, in two protocols: CLIP_benchmark's zeroshot_retrieval, and the pairs
// of open_clip's get_clip_metrics, which DualToken's figures near 1/5 on Flickr8K point to.
import { addStanding, noAccuracy, type Standing, shares } from './ranks.ts';
import { checkWidths, dot, norms, type Vectors } from './vectors.ts';

/** R@k: shares from 0 to 1, by k. */
export type Recall = readonly { readonly k: number; readonly share: number }[];

export interface RetrievalScores {
  readonly textToImage: Recall;
  readonly imageToText: Recall;
}

export interface Retrieval {
  readonly images: number;
  readonly texts: number;
  /** A caption finds its picture among the pictures; a picture finds any of its captions among all captions. */
  readonly standard: RetrievalScores;
  /** One pair a caption, its picture repeated: the one right answer is that of the pair, so copies compete. */
  readonly indexMatched: RetrievalScores;
}

/** Captions by picture: those of picture n are `texts[starts[n]]` up to `starts[n + 1]`. */
const groups = (imageOf: ArrayLike<number>, images: number): { starts: Uint32Array; texts: Uint32Array } => {
  const starts = new Uint32Array(images + 1);
  for (let t = 0; t < imageOf.length; t++) starts[imageOf[t]! + 1]! += 1;
  for (let n = 0; n < images; n++) starts[n + 1]! += starts[n]!;
  const [texts, at] = [new Uint32Array(imageOf.length), starts.slice()];
  for (let t = 0; t < imageOf.length; t++) {
    texts[at[imageOf[t]!]!] = t;
    at[imageOf[t]!]! += 1;
  }
  return { starts, texts };
};

const checkPairs = (images: Vectors, texts: Vectors, imageOf: ArrayLike<number>): void => {
  checkWidths('retrieval', images, texts);
  if (imageOf.length !== texts.count)
    throw new RangeError(`retrieval: ${texts.count} captions belong to ${imageOf.length} pictures`);
  const captioned = new Uint8Array(images.count);
  for (let t = 0; t < imageOf.length; t++) {
    const n = imageOf[t]!;
    if (!(Number.isInteger(n) && n >= 0 && n < images.count))
      throw new RangeError(`retrieval: caption ${t} belongs to picture ${n} of ${images.count}`);
    captioned[n] = 1;
  }
  const bare = captioned.indexOf(0);
  if (bare !== -1) throw new RangeError(`retrieval: picture ${bare} has no caption`);
};

const recall = (standings: Iterable<Standing>, ks: readonly number[]): Recall =>
  shares([...standings].reduce(addStanding, noAccuracy(ks)));

/**
 * R@k by cosine. `imageOf[t]` is the picture of caption t; every picture has one at least. Equal scores count as the mean over
 * all orders. @throws RangeError for vectors that are not finite or zero, a caption of no picture, a picture without captions
 */
export const retrieval = (
  images: Vectors,
  texts: Vectors,
  imageOf: ArrayLike<number>,
  ks: readonly number[] = [1, 5, 10],
): Retrieval => {
  checkPairs(images, texts, imageOf);
  const [imageNorms, textNorms] = [norms('retrieval, pictures', images), norms('retrieval, captions', texts)];
  const score = (t: number, n: number) => dot(texts, t, images, n) / (textNorms[t]! * imageNorms[n]!);
  const by = groups(imageOf, images.count);
  const own = Float64Array.from({ length: texts.count }, (_, t) => score(t, imageOf[t]!));
  const best = new Float64Array(images.count).fill(Number.NEGATIVE_INFINITY);
  own.forEach((s, t) => {
    best[imageOf[t]!] = Math.max(best[imageOf[t]!]!, s);
  });

  const byText: { readonly standard: Standing; readonly matched: Standing }[] = [];
  const captions = { above: new Float64Array(images.count), tied: new Float64Array(images.count) };
  const pairs = { above: new Float64Array(texts.count), tied: new Float64Array(texts.count) };
  const right = new Float64Array(images.count);
  for (let t = 0; t < texts.count; t++) {
    const [mine, mineScore] = [imageOf[t]!, own[t]!];
    const standard = { above: 0, tied: 0 };
    // The copies of one's own picture, but for the right one.
    const matched = { above: 0, tied: by.starts[mine + 1]! - by.starts[mine]! - 1 };
    for (let n = 0; n < images.count; n++) {
      const s = n === mine ? mineScore : score(t, n);
      const [from, to] = [by.starts[n]!, by.starts[n + 1]!];
      if (n === mine) {
        if (s === best[n]) right[n]! += 1;
      } else {
        if (s > mineScore) {
          standard.above++;
          matched.above += to - from;
        } else if (s === mineScore) {
          standard.tied++;
          matched.tied += to - from;
        }
        if (s > best[n]!) captions.above[n]! += 1;
        else if (s === best[n]) captions.tied[n]! += 1;
      }
      for (let i = from; i < to; i++) {
        const pair = by.texts[i]!;
        if (s > own[pair]!) pairs.above[pair]! += 1;
        else if (s === own[pair] && pair !== t) pairs.tied[pair]! += 1;
      }
    }
    byText.push({ standard: { ...standard, right: 1 }, matched: { ...matched, right: 1 } });
  }
  const ofImages = Array.from({ length: images.count }, (_, n) => ({
    above: captions.above[n]!,
    tied: captions.tied[n]!,
    right: right[n]!,
  }));
  const ofPairs = byText.map((_, t) => ({ above: pairs.above[t]!, tied: pairs.tied[t]!, right: 1 }));
  return {
    images: images.count,
    texts: texts.count,
    standard: {
      textToImage: recall(
        byText.map((x) => x.standard),
        ks,
      ),
      imageToText: recall(ofImages, ks),
    },
    indexMatched: {
      textToImage: recall(
        byText.map((x) => x.matched),
        ks,
      ),
      imageToText: recall(ofPairs, ks),
    },
  };
};
