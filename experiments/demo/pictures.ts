// `npm run pictures [-- MODEL]`: the photos that come with the project, above what is painted back from their pixel codes, into
// assets/demo.png, or demo-128.png for a model of 128 pixels. None of them was trained on.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { need } from '../../src/cli/failure.ts';
import { asset, commandTokenizer, pictureOf, pixelCodes, qualityOf, readPhoto } from '../../src/cli/tokenizer.ts';
import { enlarge, grid, type Picture, writePng } from '../../src/data/index.ts';
import { openRuntime } from '../../src/index.ts';

/** Photos beside each other, and pixels of each in the picture. */
const [ACROSS, SIDE] = [7, 128];
const mean = (xs: readonly number[]): number => xs.reduce((sum, x) => sum + x, 0) / xs.length;

const runtime = await openRuntime();
try {
  const tokenizer = await commandTokenizer(runtime, process.argv[2]);
  const names = (await readdir(asset('photos'))).filter((name) => /\.(jpg|png)$/.test(name)).sort();
  const made: { readonly photo: Picture; readonly painted: Picture; readonly psnr: number; readonly ssim: number }[] =
    [];
  for (const name of names) {
    const { picture: photo, values } = await readPhoto(tokenizer, asset(join('photos', name)));
    const painted = await tokenizer.decode(pixelCodes(await tokenizer.encode(values)));
    const quality = qualityOf(tokenizer, values, painted);
    console.log(`${name}: PSNR ${quality.psnr.toFixed(2)} dB, SSIM ${quality.ssim.toFixed(3)}`);
    made.push({ photo, painted: pictureOf(tokenizer, painted), ...quality });
  }
  const zoom = Math.max(1, Math.floor(SIDE / tokenizer.size));
  const rows: Picture[][] = [];
  for (let from = 0; from < made.length; from += ACROSS) {
    const some = made.slice(from, from + ACROSS);
    rows.push(
      some.map(({ photo }) => enlarge(photo, zoom)),
      some.map(({ painted }) => enlarge(painted, zoom)),
    );
  }
  await need(writePng(asset(tokenizer.size === 64 ? 'demo.png' : `demo-${tokenizer.size}.png`), grid(rows)));
  const of = (what: 'psnr' | 'ssim'): number => mean(made.map((m) => m[what]));
  console.log(`${made.length} photos: PSNR ${of('psnr').toFixed(2)} dB, SSIM ${of('ssim').toFixed(3)}`);
} finally {
  runtime.close();
}
