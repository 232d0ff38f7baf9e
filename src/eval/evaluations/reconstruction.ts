// How near reconstructions come: PSNR, SSIM and LPIPS by picture, Fréchet distances of features by set, and the use of the codebooks.

import type { ImageDataset } from '../../data/index.ts';
import { addCodes, type CodeCounts, type CodeUsage, noCodes, usageOf } from '../codes.ts';
import { addFeatures, type FeatureSums, frechetDistance, noFeatures, statisticsOf } from '../frechet.ts';
import { psnr, ssim, unitRange } from '../image-quality.ts';
import { outputsOf } from '../models/evaluated-model.ts';
import type { PairDistance } from '../models/lpips.ts';
import type { Tensors } from './checkpoint.ts';
import { EvalFailure, refused, scored } from './failure.ts';
import type { FeatureNetwork } from './feature-network.ts';
import { type Evaluation, type Fold, filled, type MeasuredBatch, overPictures } from './pass.ts';
import { f64, readF64 } from './tensors.ts';

export interface ReconstructionOptions {
  readonly lpips: PairDistance | null;
  readonly networks: readonly FeatureNetwork[];
}

/** Over pictures; the deviation is that of a sample, 0 of a single one. */
export interface Spread {
  readonly mean: number;
  readonly deviation: number;
}

export interface FeatureDistance {
  readonly name: string;
  readonly value: number;
  /** Pictures of each set, and values of a feature: with fewer pictures than values it is biased upwards. */
  readonly pictures: number;
  readonly width: number;
  readonly enough: boolean;
}

export interface ReconstructionReport {
  readonly pictures: number;
  readonly skipped: number;
  /** Side in pixels. */
  readonly size: number;
  /** Decibel, values in [0, 1]. */
  readonly psnr: Spread;
  readonly ssim: Spread;
  readonly lpips: Spread | null;
  readonly distances: readonly FeatureDistance[];
  /** By vocabulary. */
  readonly codebooks: Readonly<Record<string, CodeUsage & { readonly size: number }>>;
}

interface State {
  readonly psnr: readonly number[];
  readonly ssim: readonly number[];
  readonly lpips: readonly number[];
  readonly codes: Readonly<Record<string, CodeCounts>>;
  /** Of the pictures and of their reconstructions, by network. */
  readonly sums: readonly { readonly original: FeatureSums; readonly made: FeatureSums }[];
}

const sumsTensors = (
  name: string,
  { count, origin, sum, products }: FeatureSums,
): [string, ReturnType<typeof f64>][] => [
  [`${name}.count`, f64([count])],
  [`${name}.origin`, f64(origin)],
  [`${name}.sum`, f64(sum)],
  [`${name}.products`, f64(products)],
];

const readSums = (tensors: Tensors, name: string): FeatureSums => {
  const origin = readF64(tensors, `${name}.origin`);
  return {
    count: readF64(tensors, `${name}.count`)[0]!,
    width: origin.length,
    origin,
    sum: readF64(tensors, `${name}.sum`),
    products: readF64(tensors, `${name}.products`),
  };
};

const floats = (values: Float32Array | Int32Array | undefined, name: string): Float32Array => {
  if (!(values instanceof Float32Array)) throw new EvalFailure(`the model gave no '${name}'`);
  return values;
};

const mapRecord = <A, B>(record: Readonly<Record<string, A>>, f: (value: A, name: string) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, f(value, name)]));

const spread = (values: readonly number[]): Spread => {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const squares = values.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  return { mean, deviation: values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1)) };
};

const foldOf = (
  { model: { outputs, size }, batchSize }: Evaluation,
  made: string,
  vocabularies: readonly string[],
  { lpips, networks }: ReconstructionOptions,
): Fold<State, MeasuredBatch> => {
  const sizeOf = (name: string): number => {
    const output = outputs[name]!;
    return output.kind === 'codes' ? output.codes : 0;
  };
  const addOne = async (sums: FeatureSums, network: FeatureNetwork, pictures: Float32Array, count: number) => {
    const { width, values } = await network.features(filled(pictures, batchSize, count), batchSize, size);
    return scored(() => addFeatures(sums, { count, width, values: values.subarray(0, count * width) }));
  };
  const distances = async (a: Float32Array, b: Float32Array, count: number): Promise<readonly number[]> => {
    if (lpips === null) return [];
    // As in the authors' script: of what is painted before it is cut to [-1, 1], as a picture on disk is.
    const [p, q] = [filled(a, batchSize, count), filled(b, batchSize, count)];
    const all = await lpips(p, q, batchSize, size).catch(refused);
    return [...all.subarray(0, count)];
  };
  return {
    start: {
      psnr: [],
      ssim: [],
      lpips: [],
      codes: Object.fromEntries(vocabularies.map((name) => [name, noCodes(sizeOf(name))])),
      sums: networks.map(({ width }) => ({ original: noFeatures(width), made: noFeatures(width) })),
    },
    add: async (state, { images, values, count }) => {
      const painted = floats(values[made], made);
      const wrong = painted.findIndex((x) => !Number.isFinite(x));
      if (wrong !== -1)
        throw new EvalFailure(`a reconstruction holds ${painted[wrong]}: is the model trained, and its file whole?`);
      const [a, b] = [unitRange(images), unitRange(painted)];
      const shape = { count, channels: 3, height: size, width: size };
      const sums = [];
      for (const [n, network] of networks.entries())
        sums.push({
          original: await addOne(state.sums[n]!.original, network, images, count),
          made: await addOne(state.sums[n]!.made, network, painted, count),
        });
      return {
        psnr: [...state.psnr, ...psnr(a, b, shape)],
        ssim: [...state.ssim, ...scored(() => ssim(a, b, shape))],
        lpips: [...state.lpips, ...(await distances(images, painted, count))],
        codes: mapRecord(state.codes, (counts, name) => scored(() => addCodes(counts, values[name] ?? []))),
        sums,
      };
    },
    save: (state) =>
      new Map([
        ['psnr', f64(state.psnr)],
        ['ssim', f64(state.ssim)],
        ['lpips', f64(state.lpips)],
        ...Object.entries(state.codes).map(([name, counts]) => [`codes.${name}`, f64(counts)] as const),
        ...state.sums.flatMap((of, n) => [
          ...sumsTensors(`original.${n}`, of.original),
          ...sumsTensors(`made.${n}`, of.made),
        ]),
      ]),
    load: (tensors) => ({
      psnr: [...readF64(tensors, 'psnr')],
      ssim: [...readF64(tensors, 'ssim')],
      lpips: [...readF64(tensors, 'lpips')],
      codes: Object.fromEntries(vocabularies.map((name) => [name, readF64(tensors, `codes.${name}`)])),
      sums: networks.map((_, n) => ({
        original: readSums(tensors, `original.${n}`),
        made: readSums(tensors, `made.${n}`),
      })),
    }),
  };
};

/** @throws EvalFailure for a model that paints nothing, or too few pictures; EvalStopped */
export const evaluateReconstruction = async (
  evaluation: Evaluation,
  dataset: ImageDataset,
  options: ReconstructionOptions,
): Promise<ReconstructionReport> => {
  const { model } = evaluation;
  const [made] = outputsOf(model, 'reconstruction');
  if (made === undefined) throw new EvalFailure(`${model.name} has no pixel decoder: it reconstructs nothing`);
  const vocabularies = outputsOf(model, 'codes');
  const fold = foldOf(evaluation, made, vocabularies, options);
  const { state, used, skipped } = await overPictures(evaluation, 'pictures', dataset, [made, ...vocabularies], fold);
  if (options.networks.length > 0 && used < 2)
    throw new EvalFailure(`${options.networks[0]!.title} takes at least 2 pictures, there is ${used}`);
  return {
    pictures: used,
    skipped,
    size: model.size,
    psnr: spread(state.psnr),
    ssim: spread(state.ssim),
    lpips: options.lpips === null ? null : spread(state.lpips),
    distances: options.networks.map(({ title, width }, n) => {
      const { original, made: painted } = state.sums[n]!;
      const value = scored(() => frechetDistance(statisticsOf(original), statisticsOf(painted)));
      return { name: title, value, pictures: used, width, enough: used > width };
    }),
    codebooks: mapRecord(state.codes, (counts) => ({ size: counts.length, ...scored(() => usageOf(counts)) })),
  };
};
