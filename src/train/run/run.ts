// A whole training run, from a configuration to a model file: data, trainer, loop, checkpoints, and all that is left to look at.
import { isAbsolute, join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { normalisationOf, renamed, type TensorSource, tokenizerSpec, writeTokenizer } from '../../checkpoints/index.ts';
import {
  cached,
  centreCrop,
  type ImageDataset,
  type Picture,
  removeTemporaries,
  renderDataError,
  writeAtomic,
} from '../../data/index.ts';
import { namedSpecs } from '../../dsl/param.ts';
import { type TokenizerSystem, withSystem } from '../../models/systems/index.ts';
import type { Variant, VariantModel } from '../../models/variants/index.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { discriminatorRates, type TrainConfig, variantFor } from '../config/index.ts';
import { TrainFailure } from '../failure.ts';
import { schedule } from '../optimiser/index.ts';
import {
  checkSnapshot,
  openTrainer,
  type Sides,
  type StepMetrics,
  sections,
  sidesOf,
  stillIn,
  type Trainer,
} from '../trainer/index.ts';
import { type Checkpoint, latestCheckpoint, listCheckpoints, stepOf, writeCheckpoint } from './checkpoint.ts';
import { lockFolder } from './lock.ts';
import { type Finished, type LoopOptions, type Progress, trainLoop } from './loop.ts';
import { captionIds, learnsFromCaptions, need, openData, prepareTask } from './prepare.ts';
import { type Reconstructor, reconstructor } from './reconstruct.ts';
import { openRecord, type RunRecord } from './record.ts';
import { checkRoom } from './room.ts';
import { fewNegatives, fewVectors, stillTower } from './warnings.ts';

/** What a run tells its caller, and asks of it. */
export interface RunHooks {
  /** A line about what is going on. */
  readonly log: (line: string) => void;
  /** After each step: `at` says how many there were, and `learningRate` is the one that it was made with. */
  readonly onStep: (metrics: StepMetrics, at: Progress, learningRate: number) => void;
  /** Asked before every step; true ends the run after a checkpoint. */
  readonly stopped: () => boolean;
}

/** Where a run has ended. */
export interface RunResult extends Finished {
  /** Path of the model's file. */
  readonly model: string;
  /** PSNR of the pictures held out, or of training pictures where none are, decibels; null for a model without a decoder. */
  readonly psnr: number | null;
}

/** Pictures that samples are drawn of. */
const SAMPLES = 16;

/** The first pictures of a data set that decode, cut to the model's size, and why others before them do not. */
const firstPictures = async (dataset: ImageDataset, size: number) => {
  const found: Picture[] = [];
  const unusable: string[] = [];
  for (let i = 0; i < dataset.size && found.length < SAMPLES; i++) {
    const picture = await dataset.load(i)();
    if (E.isRight(picture)) found.push(centreCrop(size)(picture.right, i));
    else unusable.push(renderDataError(picture.left));
  }
  if (found.length === 0)
    throw new TrainFailure(
      `${dataset.path}: none of its ${dataset.size} pictures can be read${unusable.length > 0 ? `; the first: ${unusable[0]}` : ''}`,
    );
  return { pictures: found, unusable };
};

/**
 * The newest checkpoint in the folder of a run, which `runTraining` goes on from; null for a new run. Rejects with TrainFailure where a
 * run is there and `resume` was not asked for, where none is there and it was, or where the checkpoint cannot be read.
 */
export const checkpointFor = async (out: string, resume: boolean): Promise<Checkpoint | null> => {
  if (resume) {
    const last = await need(latestCheckpoint(out));
    if (last === null) throw new TrainFailure(`${out} holds no checkpoint to resume from`);
    return last;
  }
  if ((await need(listCheckpoints(out))).length > 0)
    throw new TrainFailure(`${out} holds a run already: --resume goes on with it; --out starts another one`);
  return null;
};

/** @throws TrainFailure where a checkpoint is newer than the one that a run goes on from: its choice was made before the folder was taken */
const checkNewest = async (out: string, from: Checkpoint | null): Promise<void> => {
  const newer = (await need(listCheckpoints(out))).filter((name) => stepOf(name) > (from?.info.step ?? -1)).at(-1);
  if (newer === undefined) return;
  const path = join(out, newer);
  throw new TrainFailure(
    from === null
      ? `${path} was not there when this run began: another process trains there. --resume goes on from it; --out starts another run`
      : `${path} is newer than ${from.path}, which this run was to go on from: go on from it, by --resume, or remove it`,
  );
};

/** Whether what a configuration reads depends on where a run is started. */
const hasRelative = ({ data, weights }: TrainConfig): boolean => {
  const sets = [data.train ?? [], data.validation ?? []].flat();
  const paths = sets.flatMap((set) => (typeof set === 'string' ? set : set.path));
  const files = [weights.model, weights.perceptual, weights.teacher, data.tokenizer].flat();
  return [...paths, ...files].some((path) => path !== undefined && !isAbsolute(path));
};

/** A snapshot as a model's file has it: codebooks under their own names, and the mean of the weights where one is kept. */
const modelTensors = (model: VariantModel, snapshot: TensorSource): TensorSource => {
  const kept = (path: string) =>
    [`${sections.ema}${path}`, `${sections.extra}${path}`, path].find((name) => snapshot.shapes.has(name));
  const names = namedSpecs(tokenizerSpec(model)).flatMap(({ path }) => {
    const name = kept(path);
    return name === undefined ? [] : [[path, name] as const];
  });
  return renamed(snapshot, new Map(names));
};

/** @throws TrainFailure where the checkpoint that a run goes on from is of another model */
const checkFits = <P, F, Q, D, S>(sides: Sides<P, F, Q, D, S>, from: Checkpoint | null): void => {
  try {
    if (from) checkSnapshot(sides, from.tensors);
  } catch (thrown) {
    if (!(thrown instanceof TrainFailure)) throw thrown;
    throw new TrainFailure(`${from?.path} is of another model: ${thrown.message}`);
  }
};

/** What a run reads, and its task: everything that can be wrong with a user's files is found here, before anything is written. */
const openRun = async <P, Q, T>(
  runtime: Runtime,
  system: TokenizerSystem<P, Q, T>,
  variant: Variant,
  config: TrainConfig,
  from: Checkpoint | null,
  hooks: RunHooks,
) => {
  const { data } = config;
  const { size } = system;
  const here = process.cwd();
  if (from?.info.folder !== undefined && from.info.folder !== here && hasRelative(config))
    hooks.log(
      `the run began in ${from.info.folder}: relative paths of its configuration are looked for in ${here} now`,
    );
  if (data.train === undefined)
    throw new TrainFailure('there are no pictures to train on: name a folder or a data set, or set data.train');
  const files = await openData(data.train, learnsFromCaptions(variant));
  const ids = await captionIds(config, variant, files);
  const { task, init } = await prepareTask(system, variant, config, hooks.log);
  const batch = { size: config.batchSize, shape: [3, size, size] };
  const room = { trained: task.spec, frozen: task.frozenSpec, ema: config.ema !== null, batch };
  checkRoom(room, runtime.backend.caps);
  const dataset = cached(files, data.cacheMiB * 2 ** 20);
  const held = data.validation === undefined ? files : await openData(data.validation, false);
  const first = await firstPictures(held, size);
  const choices = { freeze: [...(variant.freeze ?? []), ...config.freeze], ema: config.ema };
  const sides = sidesOf(task, choices);
  checkFits(sides, from);
  for (const line of stillTower(sides.own.layouts, init)) hooks.log(`warning: ${line}`);
  const before = from?.info.pictures ?? files.size;
  if (before !== files.size)
    hooks.log(
      `warning: the run had ${before} pictures, and there are ${files.size}: from here on samples are others than they would have been`,
    );
  // Pictures that are trained on are told of when they are met.
  const samples = { held, pictures: first.pictures, unusable: held === files ? [] : first.unusable };
  return { system, variant, config, from, hooks, files, ids, task, init, dataset, samples, choices };
};
type OpenRun<P, Q, T> = Awaited<ReturnType<typeof openRun<P, Q, T>>>;

/** What of the loop a configuration and its data say. */
const loopOptions = <P, Q, T>({ system: { size }, variant, config, ids, task, dataset }: OpenRun<P, Q, T>) => {
  const { seed, steps, data, optimizer, discriminator } = config;
  const begins = task.adversary?.start ?? 0;
  const rival = schedule({ ...discriminator.schedule, ...discriminatorRates(config), total: steps - begins });
  return {
    dataset,
    transform:
      data.crop === null
        ? { kind: 'centre-crop', size }
        : { kind: 'random-resized-crop', size, seed, scale: data.crop },
    normalisation: normalisationOf(variant),
    workers: data.workers,
    captions: ids !== null,
    ...(ids ? { prepare: ids } : {}),
    batchSize: config.batchSize,
    seed,
    steps,
    schedule: schedule({ ...config.schedule, peak: optimizer.learningRate, total: steps }),
    adversarySchedule: (step) => rival(Math.max(0, step - begins)),
    checkpointEvery: config.checkpoint.everySteps,
    checkpointSeconds: config.checkpoint.everySeconds,
    sampleEvery: config.sampleEvery,
  } satisfies Partial<LoopOptions>;
};

/** Draws samples, once a step, and writes the report. `psnr` is that of the last ones, null before. */
const sampling = <P, Q, T>(
  { samples: { held, pictures }, hooks }: OpenRun<P, Q, T>,
  reconstructions: Reconstructor | null,
  record: RunRecord,
  start: number,
) => {
  // What a sitting before this one drew is not drawn again.
  let { psnr } = record;
  let sampled = psnr === null ? -1 : start;
  const sample = async (at: Progress): Promise<void> => {
    if (reconstructions && sampled !== at.step) {
      sampled = at.step;
      const seen = await reconstructions.look(pictures);
      psnr = seen.psnr;
      await need(record.sample(at.step, seen.sheet));
      await need(record.numbers(at.step, { psnr }));
      hooks.log(`step ${at.step}: PSNR ${psnr.toFixed(2)} dB on ${pictures.length} pictures of ${held.path}`);
    }
    // A page that cannot be written is written by `dualtoken report`, any time.
    const page = await record.report()();
    if (E.isLeft(page)) hooks.log(`warning: the report is not written: ${renderDataError(page.left)}`);
  };
  return { sample, psnr: () => psnr };
};

/** Writes checkpoints, and with each the model as it then is. */
const saving = <P, Q, T>(
  { variant, config, files, hooks }: OpenRun<P, Q, T>,
  trainer: Pick<Trainer<P>, 'snapshot'>,
  model: string,
) => {
  const { out, seed, checkpoint: kept } = config;
  let written = false;
  const writeModel = async (tensors: TensorSource): Promise<void> => {
    await need(writeTokenizer(model, variant, modelTensors(variant, tensors)));
    written = true;
  };
  const checkpoint = async (at: Progress): Promise<void> => {
    const tensors = trainer.snapshot();
    const info = { version: 1, ...at, seed, pictures: files.size, folder: process.cwd(), config } as const;
    const path = await need(writeCheckpoint(out, info, tensors, kept.keep));
    await writeModel(tensors);
    hooks.log(`step ${at.step}: wrote ${path}`);
  };
  /** The model, where no checkpoint was due: a sitting before this one may have ended between its last one and its model. */
  const finish = async (): Promise<void> => {
    if (!written) await writeModel(trainer.snapshot());
  };
  return { checkpoint, finish };
};

/** The run itself, in its folder. */
const trainIn = async <P, Q, T>(runtime: Runtime, opened: OpenRun<P, Q, T>): Promise<RunResult> => {
  const { system, config, from, hooks, files, task, init, choices } = opened;
  const { held, unusable } = opened.samples;
  const { out, seed } = config;
  // Written before anything costs time: a folder that cannot be written ends the run here.
  await need(removeTemporaries(out));
  await need(writeAtomic(join(out, 'config.json'), `${JSON.stringify(config, null, 2)}\n`));
  const start: Progress = from?.info ?? { step: 0, sample: 0, seconds: 0 };
  const record = await need(openRecord(out, start.step));

  hooks.log(`${files.size} pictures; ${config.variant}, ${system.size} px, batches of ${config.batchSize}`);
  for (const [n, reason] of unusable.entries()) {
    hooks.log(`skipped for samples: ${reason} (${n + 1} of ${held.path} so far)`);
    await need(record.skipped(start.step, reason));
  }
  const inStep = config.batchSize * config.microBatches;
  const few = [...fewVectors(system, inStep, stillIn(choices.freeze)), ...fewNegatives(opened.variant, config)];
  for (const line of few) hooks.log(`warning: ${line}`);
  const trainer = await openTrainer(runtime, task, {
    optimizer: config.optimizer,
    adversary: config.discriminator.optimizer,
    ...choices,
    microBatches: config.microBatches,
    seed,
    // A resumed run's values are all in its checkpoint.
    ...(from ? {} : { init }),
  });
  const reconstructions = reconstructor(runtime, system, trainer);
  try {
    if (from) {
      await trainer.restore(from.tensors);
      hooks.log(`resumed from ${from.path}, after step ${start.step}`);
    }
    const model = join(out, 'model.safetensors');
    const { sample, psnr } = sampling(opened, reconstructions, record, start.step);
    const { checkpoint, finish } = saving(opened, trainer, model);
    let now = start.step;
    // A sitting before this one may have ended between a checkpoint and its samples.
    if (from && start.step < config.steps && start.step % config.sampleEvery === 0) await sample(start);
    const finished = await trainLoop(trainer, {
      ...loopOptions(opened),
      from: start,
      onStep: async (metrics, at, learningRate) => {
        const { loss, gradNorm, terms } = metrics;
        now = at.step;
        await need(
          record.numbers(at.step, { loss, ...terms, gradNorm, learningRate, seconds: at.seconds, sample: at.sample }),
        );
        hooks.onStep(metrics, at, learningRate);
      },
      onSkip: async (reason, total) => {
        hooks.log(`skipped: ${reason} (${total} skipped so far)`);
        await need(record.skipped(now, reason));
      },
      checkpoint,
      sample,
      stopped: hooks.stopped,
    });
    await finish();
    await sample(finished.at);
    return { ...finished, model, psnr: psnr() };
  } finally {
    await reconstructions?.free();
    await trainer.free();
  }
};

/**
 * Trains what `parseTrainConfig` has read, to its last step or until `stopped`, on from a checkpoint where there is one (`checkpointFor`).
 * Into the folder `config.out` go config.json, checkpoints, log.jsonl, samples, the report and model.safetensors, which `openTokenizer`
 * opens. Rejects with TrainFailure for what is wrong with data, weights or the configuration, or a loss that is no number; with RunFailure
 * and CompileFailure where the device fails.
 */
export const runTraining = async (
  runtime: Runtime,
  config: TrainConfig,
  from: Checkpoint | null,
  hooks: RunHooks,
): Promise<RunResult> => {
  const variant = variantFor(config);
  if (E.isLeft(variant)) throw new TrainFailure(`the model: ${variant.left.join('; ')}`);
  const asked: Variant = variant.right;
  return withSystem(asked, async (system) => {
    const opened = await openRun(runtime, system, asked, config, from, hooks);
    const release = await lockFolder(config.out);
    try {
      await checkNewest(config.out, from);
      return await trainIn(runtime, opened);
    } finally {
      await release();
    }
  });
};
