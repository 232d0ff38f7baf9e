// A whole training run of a tokenizer, from a configuration to a model file: data, trainer, loop, checkpoints, samples, log.
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import type * as TE from 'fp-ts/lib/TaskEither.js';
import {
  cached,
  centreCrop,
  type DataError,
  folderDataset,
  type ImageDataset,
  type Picture,
  randomResizedCrop,
  renderDataError,
  writeAtomic,
  writePng,
} from '../data/index.ts';
import type { DualTokenConfig } from '../models/dualtoken.ts';
import { readVariant } from '../models/variants/index.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { type Checkpoint, listCheckpoints, readCheckpoint, writeCheckpoint } from './checkpoint.ts';
import type { TrainConfig } from './config.ts';
import { appendLog, openLog } from './log.ts';
import { type Finished, type Progress, TrainFailure, trainLoop } from './loop.ts';
import { type Reconstructed, reconstructor } from './reconstruct.ts';
import { checkRoom } from './room.ts';
import { schedule } from './schedule.ts';
import { writeTokenizer } from './tokenizer.ts';
import { tokenizerTask } from './tokenizer-task.ts';
import { openTrainer, type StepMetrics, sections } from './trainer.ts';
import type { NamedTensors } from './vectors.ts';

export interface RunHooks {
  /** A line about what is going on. */
  readonly log: (line: string) => void;
  readonly onStep: (metrics: StepMetrics, at: Progress, learningRate: number) => void;
  readonly stopped: () => boolean;
}

export interface RunResult extends Finished {
  readonly model: string;
  /** PSNR of the pictures held out, or of training pictures where none are; decibels. */
  readonly psnr: number;
}

const need = async <A>(work: TE.TaskEither<DataError, A>): Promise<A> => {
  const result = await work();
  if (E.isLeft(result)) throw new TrainFailure(renderDataError(result.left));
  return result.right;
};

/** Pictures that samples are drawn of. */
const SAMPLES = 16;

/** The first pictures of a data set that decode, cut to the model's size. */
const firstPictures = async (dataset: ImageDataset, size: number): Promise<readonly Picture[]> => {
  const found: Picture[] = [];
  for (let i = 0; i < dataset.size && found.length < SAMPLES; i++) {
    const picture = await dataset.load(i)();
    if (E.isRight(picture)) found.push(centreCrop(size)(picture.right, i));
  }
  if (found.length === 0) throw new TrainFailure(`${dataset.path}: none of its pictures can be read`);
  return found;
};

/** The model that a run's configuration asks for. @throws TrainFailure naming every fault of one that was not parsed */
const modelOf = ({ variant, model }: TrainConfig): DualTokenConfig => {
  const read = readVariant({ ...model, variant });
  if (E.isLeft(read)) throw new TrainFailure(`the model: ${read.left.join('; ')}`);
  return read.right;
};

/**
 * The checkpoint that a run goes on from, null for a new one. @throws TrainFailure where a run is there and `resume` was not asked
 * for, or none is there and it was
 */
export const checkpointFor = async (out: string, resume: boolean): Promise<Checkpoint | null> => {
  const last = (await need(listCheckpoints(out))).at(-1);
  if (last === undefined && resume) throw new TrainFailure(`${out} holds no checkpoint to resume from`);
  if (last === undefined) return null;
  if (!resume) throw new TrainFailure(`${out} holds a run already: --resume goes on with it; --out starts another one`);
  return need(readCheckpoint(join(out, last)));
};

/** A snapshot with the codebooks under the names that a tokenizer's file has. */
const tokenizerTensors = (snapshot: NamedTensors): NamedTensors =>
  new Map(
    [...snapshot].map(([name, t]) => [name.startsWith(sections.extra) ? name.slice(sections.extra.length) : name, t]),
  );

/** Trains to the end of the configuration, or until `stopped`. Throws TrainFailure, RunFailure, CompileFailure. */
export const runTraining = async (
  runtime: Runtime,
  config: TrainConfig,
  from: Checkpoint | null,
  hooks: RunHooks,
): Promise<RunResult> => {
  const { out, seed, data, optimizer } = config;
  const model = modelOf(config);
  const size = model.vision.image_size;
  if (data.folder === undefined) throw new TrainFailure('there is no folder of pictures: name one, or set data.folder');
  const files = await need(folderDataset(data.folder));
  const task = tokenizerTask(model, config.losses);
  const batch = { size: config.batchSize, shape: [3, size, size] };
  checkRoom([task.spec, task.frozenSpec], batch, runtime.backend.caps.limits.buffer);
  const dataset = cached(files, data.cacheMiB * 2 ** 20);
  const held = data.validation === undefined ? files : await need(folderDataset(data.validation));
  const pictures = await firstPictures(held, size);
  // Written before anything costs time: a folder that cannot be written ends the run here.
  await need(writeAtomic(join(out, 'config.json'), `${JSON.stringify(config, null, 2)}\n`));
  const logPath = join(out, 'log.jsonl');
  const start: Progress = from?.info ?? { step: 0, sample: 0, seconds: 0 };
  await need(openLog(logPath, start.step));

  hooks.log(`${files.size} pictures; ${config.variant}, ${size} px, batches of ${config.batchSize}`);
  const trainer = await openTrainer(runtime, task, { ...optimizer, seed });
  try {
    if (from) {
      await trainer.restore(from.tensors);
      hooks.log(`resumed from ${from.path}, after step ${start.step}`);
    }
    const look = reconstructor(runtime, model, task, trainer);
    const modelPath = join(out, 'model.safetensors');
    let seen: Reconstructed | null = null;
    const sample = async (at: Progress): Promise<void> => {
      seen = await look(pictures);
      await need(writePng(join(out, 'samples', `step-${String(at.step).padStart(8, '0')}.png`), seen.sheet));
      await need(appendLog(logPath, at.step, { psnr: seen.psnr }));
      hooks.log(`step ${at.step}: PSNR ${seen.psnr.toFixed(2)} dB on ${pictures.length} pictures of ${held.path}`);
    };
    const checkpoint = async (at: Progress): Promise<void> => {
      const tensors = await trainer.snapshot();
      const path = await need(
        writeCheckpoint(out, { version: 1, ...at, seed, config }, tensors, config.checkpoint.keep),
      );
      await need(writeTokenizer(modelPath, model, tokenizerTensors(tensors)));
      hooks.log(`step ${at.step}: wrote ${path}`);
    };
    const finished = await trainLoop(trainer, {
      dataset,
      transform: data.crop === null ? centreCrop(size) : randomResizedCrop(size, { seed, scale: data.crop }),
      batchSize: config.batchSize,
      seed,
      steps: config.steps,
      schedule: schedule({ ...config.schedule, peak: optimizer.learningRate, total: config.steps }),
      from: start,
      checkpointEvery: config.checkpoint.everySteps,
      checkpointSeconds: config.checkpoint.everySeconds,
      sampleEvery: config.sampleEvery,
      onStep: async (metrics, at, learningRate) => {
        const { loss, gradNorm, terms } = metrics;
        await need(appendLog(logPath, at.step, { loss, ...terms, gradNorm, learningRate, seconds: at.seconds }));
        hooks.onStep(metrics, at, learningRate);
      },
      onSkip: (message) => hooks.log(`skipped: ${message}`),
      checkpoint,
      sample,
      stopped: hooks.stopped,
    });
    if (!finished.stopped) await sample(finished.at);
    return { ...finished, model: modelPath, psnr: (seen ?? (await look(pictures))).psnr };
  } finally {
    trainer.free();
  }
};
