// `dualtoken demo`: two photos that come with the project, through the whole tokenizer and back.
import { basename, extname, join } from 'node:path';
import type { Command } from 'commander';
import { enlarge, grid, sideBySide, writeAtomic, writePng } from '../../data/index.ts';
import { need } from '../failure.ts';
import { type ModelOptions, withModel } from '../options.ts';
import { outputTo } from '../output.ts';
import {
  asset,
  codeMapOf,
  codesFile,
  commandTokenizer,
  pictureOf,
  pixelCodes,
  qualityOf,
  readPhoto,
  usedCodes,
} from '../tokenizer.ts';
import { withRuntime } from '../with-runtime.ts';

interface DemoOptions extends ModelOptions {
  readonly out: string;
}

/** Neither was seen in training. */
const photos = ['chelsea.png', 'coffee.png'];
/** Pictures are shown at this multiple of their size. */
const ZOOM = 4;

export const demo = async (options: DemoOptions): Promise<void> => {
  const output = outputTo(options.json);
  await withRuntime(options, output, async (runtime) => {
    const tokenizer = await commandTokenizer(runtime, options.checkpoint);
    const images = [];
    for (const photo of photos) {
      const name = basename(photo, extname(photo));
      const { picture, values } = await readPhoto(tokenizer, asset(join('photos', photo)));
      const started = performance.now();
      const codes = await tokenizer.encode(values);
      const encoded = performance.now();
      const pixel = pixelCodes(codes);
      const made = await tokenizer.decode(pixel);
      const decoded = performance.now();
      const file = (suffix: string): string => join(options.out, `${name}${suffix}`);
      await need(
        writePng(file('.png'), sideBySide([enlarge(picture, ZOOM), enlarge(pictureOf(tokenizer, made), ZOOM)])),
      );
      await need(
        writePng(
          file('-codes.png'),
          grid([pixel, ...(codes.semantic ? [codes.semantic] : [])].map((of) => [codeMapOf(tokenizer, of)])),
        ),
      );
      await need(writeAtomic(file('.json'), `${JSON.stringify(codesFile(tokenizer, [{ file: photo, codes }]))}\n`));
      const quality = qualityOf(tokenizer, values, made);
      const ms = { encode: encoded - started, decode: decoded - encoded };
      images.push({ photo, ...quality, ms, files: ['.png', '-codes.png', '.json'].map(file) });
      output.print(`${photo}: PSNR ${quality.psnr.toFixed(2)} dB, SSIM ${quality.ssim.toFixed(3)}`);
      output.print(
        `  ${tokenizer.grid} x ${tokenizer.grid} x ${tokenizer.depth} codes of ${tokenizer.vocabularies.pixel}: ${usedCodes(tokenizer, codes)}`,
      );
      output.print(
        `  encoded in ${ms.encode.toFixed(0)} ms, decoded in ${ms.decode.toFixed(0)} ms${images.length === 1 ? ' (the first run compiles its kernels)' : ''}`,
      );
      output.print(
        `  ${file('.png')}: the photo beside its reconstruction; ${file('-codes.png')}: pixel codes above, semantic codes below, a panel a depth; ${file('.json')}: the codes`,
      );
    }
    output.result({ adapter: runtime.backend.caps.name, images });
  });
};

export const demoCommand = (program: Command): Command =>
  withModel(program.command('demo').description('tokenize and paint back two photos that come with the project'))
    .option('-o, --out <folder>', 'where pictures and codes go', 'out')
    .action(demo);
