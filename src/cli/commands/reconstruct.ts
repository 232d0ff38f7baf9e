// `dualtoken reconstruct`: a photo, or codes that were kept, painted by the decoder from the pixel codes.
import { readFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { expandPaths, sideBySide, writePng } from '../../data/index.ts';
import type { Tokenizer } from '../../train/tokenizer.ts';
import { need, UserFailure } from '../failure.ts';
import { type ModelOptions, withModel } from '../options.ts';
import { type Output, outputTo } from '../output.ts';
import { commandTokenizer, pictureOf, type Quality, qualityOf, readPhoto } from '../tokenizer.ts';
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
  images: z.array(z.strictObject({ file: z.string(), pixel: z.array(whole), semantic: z.array(whole) })).min(1),
});

/** Reads codes that `tokenize` wrote, and checks them against the model. */
const readCodes = async (path: string, t: Tokenizer) => {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, 'utf8'));
  } catch (e) {
    throw new UserFailure(`${path} cannot be read as JSON: ${e instanceof Error ? e.message : String(e)}`);
  }
  const read = codesSchema.safeParse(json);
  if (!read.success)
    throw new UserFailure(
      `${path} holds no codes: ${read.error.issues.map((i) => `${i.path.join('.') || 'file'}: ${i.message}`).join('; ')}`,
    );
  const { grid, depth, codes, images } = read.data;
  const { quantiser } = t.config;
  if (grid[0] !== t.grid || grid[1] !== t.grid || depth !== quantiser.depth || codes !== quantiser.codes)
    throw new UserFailure(
      `${path} has ${grid.join(' x ')} x ${depth} codes of ${codes}; this model takes ${t.grid} x ${t.grid} x ${quantiser.depth} of ${quantiser.codes}`,
    );
  for (const { file, pixel } of images) {
    if (pixel.length !== t.grid * t.grid * depth)
      throw new UserFailure(`${path}: ${file} has ${pixel.length} pixel codes, not ${t.grid * t.grid * depth}`);
    const wrong = pixel.find((k) => k >= codes);
    if (wrong !== undefined) throw new UserFailure(`${path}: ${file} has the code ${wrong}; codes end at ${codes - 1}`);
  }
  return images;
};

const fromPhoto = async (t: Tokenizer, file: string, options: ReconstructOptions): Promise<Made> => {
  const { picture, values } = await readPhoto(t, file);
  const made = await t.decode((await t.encode(values)).pixel);
  const target = join(options.out, `${basename(file, extname(file))}-reconstructed.png`);
  await need(writePng(target, sideBySide([picture, pictureOf(t, made)])));
  return { file, picture: target, ...qualityOf(t, values, made) };
};

const fromCodes = async (t: Tokenizer, path: string, options: ReconstructOptions): Promise<readonly Made[]> => {
  const made: Made[] = [];
  for (const { file, pixel } of await readCodes(path, t)) {
    const target = join(options.out, `${basename(file, extname(file))}-from-codes.png`);
    await need(writePng(target, pictureOf(t, await t.decode(Int32Array.from(pixel)))));
    made.push({ file, picture: target });
  }
  return made;
};

const report = (output: Output, m: Made): void =>
  output.print(
    `${m.file} -> ${m.picture}${m.psnr === undefined ? '' : `  PSNR ${m.psnr.toFixed(2)} dB, SSIM ${m.ssim?.toFixed(3)}`}`,
  );

export const reconstruct = async (paths: readonly string[], options: ReconstructOptions): Promise<void> => {
  const output = outputTo(options.json);
  const [codes, photos] = [paths.filter((p) => p.endsWith('.json')), paths.filter((p) => !p.endsWith('.json'))];
  const files = photos.length > 0 ? await need(expandPaths(photos)) : [];
  await withRuntime(options, output, async (runtime) => {
    const tokenizer = await commandTokenizer(runtime, options.checkpoint);
    const results: Made[] = [];
    for (const path of codes) results.push(...(await fromCodes(tokenizer, path, options)));
    for (const file of files) results.push(await fromPhoto(tokenizer, file, options));
    for (const m of results) report(output, m);
    output.result({ pictures: results });
  });
};

export const reconstructCommand = (program: Command): Command =>
  withModel(program.command('reconstruct').description('paint photos, or codes from tokenize, back'))
    .argument('<inputs...>', 'photos (files, folders, patterns), or JSON files of codes')
    .option('-o, --out <folder>', 'where the pictures go: the photo beside its reconstruction', 'out')
    .action(reconstruct);
