// `dualtoken reconstruct`: a photo, or codes that were kept, painted by the decoder from the pixel codes.
import { basename, extname, join } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import type { Tokenizer } from '../../checkpoints/index.ts';
import { expandPaths, type Picture, sideBySide, toChannels, writePng } from '../../data/index.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { need, UserFailure } from '../failure.ts';
import { type ModelOptions, withModel } from '../options.ts';
import { type Output, outputTo } from '../output.ts';
import { readJson } from '../read-json.ts';
import { type TaskProgress, taskProgress } from '../task-progress.ts';
import { commandTokenizer, pictureOf, pixelCodes, type Quality, qualityOf, readPhoto } from '../tokenizer.ts';
import { withRuntime } from '../with-runtime.ts';

interface ReconstructOptions extends ModelOptions {
  readonly out: string;
}
interface Made extends Partial<Quality> {
  readonly file: string;
  readonly picture: string;
}

const whole = z.int().min(0);
const codesSchema = z.strictObject({
  grid: z.tuple([whole, whole]),
  depth: whole,
  codes: whole,
  images: z
    .array(z.strictObject({ file: z.string(), pixel: z.array(whole), semantic: z.array(whole).optional() }))
    .min(1),
});

/** Reads codes that `tokenize` wrote, and checks them against the model. */
const readCodes = async (path: string, t: Tokenizer) => {
  const read = codesSchema.safeParse(await readJson(path));
  if (!read.success)
    throw new UserFailure(
      `${path} holds no codes: ${read.error.issues
        .slice(0, 3)
        .map((i) => `${i.path.join('.') || 'file'}: ${i.message}`)
        .join('; ')}${read.error.issues.length > 3 ? `; and ${read.error.issues.length - 3} more faults` : ''}`,
    );
  const { grid, depth, codes, images } = read.data;
  if (grid[0] !== t.grid || grid[1] !== t.grid || depth !== t.depth || codes !== t.vocabularies.pixel)
    throw new UserFailure(
      `${path} has ${grid.join(' x ')} x ${depth} codes of ${codes}; this model takes ${t.grid} x ${t.grid} x ${t.depth} of ${t.vocabularies.pixel ?? 'no pixel codes'}`,
    );
  for (const { file, pixel } of images) {
    if (pixel.length !== t.grid * t.grid * depth)
      throw new UserFailure(`${path}: ${file} has ${pixel.length} pixel codes, not ${t.grid * t.grid * depth}`);
    const wrong = pixel.find((k) => k >= codes);
    if (wrong !== undefined) throw new UserFailure(`${path}: ${file} has the code ${wrong}; codes end at ${codes - 1}`);
  }
  return images;
};

/** A picture to be painted: everything that can be wrong with its file was found before the first one is. */
interface Job {
  readonly file: string;
  readonly target: string;
  readonly paint: () => Promise<Painted>;
}
interface Painted {
  readonly picture: Picture;
  readonly quality?: Quality;
}

const fromPhoto = async (t: Tokenizer, file: string, progress: TaskProgress): Promise<Job['paint']> => {
  const { picture } = await readPhoto(t, file);
  return async () => {
    const values = toChannels(picture);
    progress.begin(`encoding ${file}`);
    const codes = pixelCodes(await t.encode(values));
    progress.begin(`painting ${file}`);
    const made = await t.decode(codes);
    return { picture: sideBySide([picture, pictureOf(t, made)]), quality: qualityOf(t, values, made) };
  };
};

const fromCodes =
  (t: Tokenizer, file: string, pixel: readonly number[], progress: TaskProgress): Job['paint'] =>
  async () => {
    progress.begin(`painting ${file}`);
    return { picture: pictureOf(t, await t.decode(Int32Array.from(pixel))) };
  };

/** Names in a folder, each once: photos of one name in several folders are numbered. */
const namesIn = (folder: string) => {
  const taken = new Map<string, number>();
  return (file: string, suffix: string): string => {
    const name = `${basename(file, extname(file))}-${suffix}`;
    // Some file systems do not tell cases apart.
    const count = (taken.get(name.toLowerCase()) ?? 0) + 1;
    taken.set(name.toLowerCase(), count);
    return join(folder, `${name}${count === 1 ? '' : `-${count}`}.png`);
  };
};

const readJobs = async (
  t: Tokenizer,
  codes: readonly string[],
  photos: readonly string[],
  out: string,
  progress: TaskProgress,
) => {
  const nameOf = namesIn(out);
  const jobs: Job[] = [];
  for (const path of codes)
    for (const { file, pixel } of await readCodes(path, t))
      jobs.push({ file, target: nameOf(file, 'from-codes'), paint: fromCodes(t, file, pixel, progress) });
  for (const file of photos)
    jobs.push({ file, target: nameOf(file, 'reconstructed'), paint: await fromPhoto(t, file, progress) });
  return jobs;
};

const report = (output: Output, m: Made): void =>
  output.print(
    `${m.file} -> ${m.picture}${m.psnr === undefined ? '' : `  PSNR ${m.psnr.toFixed(2)} dB, SSIM ${m.ssim?.toFixed(3)}`}`,
  );

export const reconstruct = async (paths: readonly string[], options: ReconstructOptions): Promise<void> => {
  const output = outputTo(options.json);
  const [codes, photos] = [paths.filter((p) => p.endsWith('.json')), paths.filter((p) => !p.endsWith('.json'))];
  const files = photos.length > 0 ? await need(expandPaths(photos)) : [];
  const progress = taskProgress(output);
  const body = async (runtime: Runtime): Promise<void> => {
    const tokenizer = await commandTokenizer(runtime, options.checkpoint, progress);
    const results: Made[] = [];
    for (const { file, target, paint } of await readJobs(tokenizer, codes, files, options.out, progress)) {
      const { picture, quality } = await paint();
      progress.stop();
      await need(writePng(target, picture));
      const made = { file, picture: target, ...quality };
      report(output, made);
      results.push(made);
    }
    output.result({ pictures: results });
  };
  await withRuntime(options, { ...output, log: progress.log }, body, progress.show).finally(progress.stop);
};

export const reconstructCommand = (program: Command): Command =>
  withModel(program.command('reconstruct').description('paint photos, or codes from tokenize, back'))
    .argument('<inputs...>', 'photos (files, folders, patterns), or JSON files of codes')
    .option('-o, --out <folder>', 'where the pictures go: the photo beside its reconstruction', 'out')
    .action(reconstruct);
