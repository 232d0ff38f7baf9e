// What is measured of a row on held-out pictures: how near its reconstructions come, and what a linear probe reads in its features.
import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type DataError, openCifar10, renderDataError } from '../../src/data/index.ts';
import {
  type Evaluation,
  evaluateProbe,
  evaluateReconstruction,
  networkOf,
  noCheckpoint,
} from '../../src/eval/evaluations/index.ts';
import { type EvaluatedModel, openModel } from '../../src/eval/models/index.ts';
import type { Runtime } from '../../src/runtime/runtime.ts';

export interface Measures {
  /** Decibel and share; null without a decoder. */
  readonly psnr: number | null;
  readonly ssim: number | null;
  /** Fréchet distance of MobileNetV2's features. */
  readonly rfd: number | null;
  /** Top-1 share of a linear probe on the pooled feature; null without a semantic tap. */
  readonly probe: number | null;
  /** Share of the pixel codebook in use over all held-out pictures. */
  readonly used: number | null;
}

export const need = async <A>(work: TaskEither<DataError, A>): Promise<A> => {
  const done = await work();
  if (E.isLeft(done)) throw new Error(renderDataError(done.left));
  return done.right;
};

const evaluation = (model: EvaluatedModel, log: (line: string) => void): Evaluation => ({
  model,
  batchSize: 50,
  limit: null,
  seed: 0,
  checkpoint: noCheckpoint,
  log,
  onProgress: () => undefined,
  stopped: () => false,
});

/** Measures the model at `path`: CIFAR-10's subset, 5,000 pictures for the probe, 1,000 held out. */
export const measure = async (
  runtime: Runtime,
  path: string,
  { cifar, mobilenet }: { readonly cifar: string; readonly mobilenet: string },
  log: (line: string) => void,
): Promise<Measures> => {
  const model = await need(openModel(runtime, path));
  const [train, test] = [await need(openCifar10(cifar, 'train')), await need(openCifar10(cifar, 'test'))];
  const at = evaluation(model, log);
  const teacher = await need(openModel(runtime, mobilenet));
  const network = networkOf(teacher, 'pooled', 'rFD-MobileNetV2');
  const seen =
    model.outputs.reconstruction === undefined
      ? null
      : await evaluateReconstruction(at, test, { lpips: null, networks: [network] });
  const probed = model.outputs.pooled === undefined ? null : await evaluateProbe(at, { train, test }, 'pooled');
  await model.free();
  await teacher.free();
  return {
    psnr: seen?.psnr.mean ?? null,
    ssim: seen?.ssim.mean ?? null,
    rfd: seen?.distances[0]?.value ?? null,
    probe: probed?.top1 ?? null,
    used: seen?.codebooks.pixel === undefined ? null : seen.codebooks.pixel.used / seen.codebooks.pixel.size,
  };
};
