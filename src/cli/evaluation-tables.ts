// The reports of evaluations as lines for a person.
import type {
  KnnReport,
  ProbeReport,
  ReconstructionReport,
  RetrievalReport,
  ZeroShotReport,
} from '../eval/evaluations/index.ts';
import type { Recall } from '../eval/index.ts';
import type { Output } from './output.ts';

type Row = readonly string[];

/** Columns as wide as their longest cell: numbers to the right, words to the left. */
const columns = (rows: readonly Row[]): readonly string[] => {
  const widths = rows.reduce<readonly number[]>(
    (most, row) => row.map((cell, i) => Math.max(most[i] ?? 0, cell.length)),
    [],
  );
  return rows.map((row) =>
    row
      .map((cell, i) =>
        i > 0 && /^-?[\d.]+( [%]| dB| bits)?$|^R@/.test(cell) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!),
      )
      .join('  ')
      .trimEnd(),
  );
};

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

const skippedNote = (skipped: number): string => (skipped === 0 ? '' : `, ${skipped} that cannot be used left out`);

const printAll = (output: Output, lines: readonly string[]): void => {
  for (const line of lines) output.print(line);
};

export const printReconstruction = (r: ReconstructionReport, output: Output): void => {
  output.print(`${r.pictures} pictures of ${r.size} x ${r.size}${skippedNote(r.skipped)}`);
  const spread = (name: string, of: { mean: number; deviation: number }, digits: number, unit = ''): Row => [
    name,
    `${of.mean.toFixed(digits)}${unit}`,
    `± ${of.deviation.toFixed(digits)} between pictures`,
  ];
  const distances = r.distances.map(
    ({ name, value, pictures, width, enough }): Row => [
      name,
      value.toFixed(3),
      enough ? `${width} features` : `biased upwards: ${pictures} pictures are fewer than ${width} features`,
    ],
  );
  printAll(
    output,
    columns([
      spread('PSNR', r.psnr, 2, ' dB'),
      spread('SSIM', r.ssim, 4),
      ...(r.lpips === null ? [] : [spread('LPIPS', r.lpips, 4)]),
      ...distances,
    ]),
  );
  const codebooks = Object.entries(r.codebooks).map(
    ([name, use]): Row => [
      name,
      `${use.used} of ${use.size}`,
      use.perplexity.toFixed(1),
      use.normalisedEntropy.toFixed(4),
      `${use.fromUniform.toFixed(3)} nats`,
    ],
  );
  if (codebooks.length > 0)
    printAll(output, columns([['codebook', 'used', 'perplexity', 'entropy / log2 K', 'KL to uniform'], ...codebooks]));
};

export const printZeroShot = (r: ZeroShotReport, output: Output): void => {
  output.print(
    `${r.pictures} pictures, ${r.classes} classes, ${r.templates} templates${skippedNote(r.skipped)}: top-1 ${percent(r.top1)}, top-5 ${percent(r.top5)}`,
  );
};

export const printRetrieval = (r: RetrievalReport, output: Output): void => {
  output.print(`${r.images} pictures with ${r.texts} captions${skippedNote(r.skipped)}`);
  const row = (protocol: string, way: string, recall: Recall): Row => [
    `${protocol}, ${way}`,
    ...recall.map(({ share }) => percent(share)),
  ];
  const each = (protocol: string, of: RetrievalReport['standard']): readonly Row[] => [
    row(protocol, 'text to image', of.textToImage),
    row(protocol, 'image to text', of.imageToText),
  ];
  const head = ['', ...r.standard.textToImage.map(({ k }) => `R@${k}`)];
  printAll(output, columns([head, ...each('standard', r.standard), ...each('index-matched', r.indexMatched)]));
};

const sets = (r: ProbeReport | KnnReport): string =>
  `${r.feature}, ${r.width} values: ${r.classes} classes, trained on ${r.train} pictures, measured on ${r.test}${skippedNote(r.skipped)}`;

export const printProbe = (r: ProbeReport, output: Output): void => {
  output.print(sets(r));
  output.print(
    `linear probe: top-1 ${percent(r.top1)}, top-5 ${percent(r.top5)} (lambda ${r.lambda}, ${r.iterations} iterations${r.converged ? '' : ', not converged'})`,
  );
};

export const printKnn = (r: KnnReport, output: Output): void => {
  output.print(sets(r));
  const rows = r.results.map(({ neighbours, top1, top5 }): Row => [`${neighbours}`, percent(top1), percent(top5)]);
  printAll(output, columns([['neighbours', 'top-1', 'top-5'], ...rows]));
};
