// The table of the experiment, and whether the paper's order holds in it.
import type { Row } from './configs.ts';
import type { Measures } from './measure.ts';

export interface Measured {
  readonly row: Row | 'initial, continuous';
  readonly seed: number;
  readonly measures: Measures;
}

type Measure = keyof Measures;

export interface Summary {
  readonly mean: number;
  /** Of a sample; 0 of a single run. */
  readonly deviation: number;
  readonly runs: number;
}

/** Mean and deviation of one measure of a row; null where it has none. */
export const summaryOf = (all: readonly Measured[], row: Measured['row'], of: Measure): Summary | null => {
  const values = all.flatMap((m) => (m.row === row && m.measures[of] !== null ? [m.measures[of]] : []));
  if (values.length === 0) return null;
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const squares = values.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  return { mean, deviation: values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1)), runs: values.length };
};

/** Rows in the order in which they were measured first. */
export const rowsOf = (all: readonly Measured[]): readonly Measured['row'][] => [...new Set(all.map(({ row }) => row))];

const cell = (s: Summary | null, scale: number, digits: number): string => {
  if (s === null) return '✗';
  const spread = s.runs > 1 ? ` ± ${(s.deviation * scale).toFixed(digits)}` : '';
  return `${(s.mean * scale).toFixed(digits)}${spread}`;
};

interface Claim {
  readonly text: string;
  readonly left: readonly [Measured['row'], Measure];
  readonly right: readonly [Measured['row'], Measure];
}
const [a, b, c, d] = [
  '(a) Recon deep + Sem deep',
  '(b) Recon deep',
  '(c) Recon shallow',
  '(d) Recon shallow + Sem deep',
] as const;
const claims: readonly Claim[] = [
  { text: '(a) reconstructs worse than (b): PSNR', left: [b, 'psnr'], right: [a, 'psnr'] },
  { text: '(a) reconstructs worse than (b): rFD', left: [a, 'rfd'], right: [b, 'rfd'] },
  { text: '(a) keeps less semantics than (d): probe', left: [d, 'probe'], right: [a, 'probe'] },
  { text: '(d) reconstructs at least as well as (c): PSNR', left: [d, 'psnr'], right: [c, 'psnr'] },
  { text: '(d) reconstructs at least as well as (c): rFD', left: [c, 'rfd'], right: [d, 'rfd'] },
];

const judged = (all: readonly Measured[], { text, left, right }: Claim): string => {
  const [x, y] = [summaryOf(all, ...left), summaryOf(all, ...right)];
  if (x === null || y === null) return `| ${text} | not measured |  |`;
  const gap = x.mean - y.mean;
  const noise = Math.hypot(x.deviation, y.deviation);
  const verdict = gap > noise ? 'holds' : gap < -noise ? 'does not hold' : 'within the spread of seeds';
  return `| ${text} | ${gap.toPrecision(3)} | ${verdict} |`;
};

export const resultsPage = (
  all: readonly Measured[],
  steps: { readonly tower: number; readonly row: number },
  adapter: string,
): string => {
  const lines = rowsOf(all).map((row) => {
    const of = (measure: Measure) => summaryOf(all, row, measure);
    const cells = [
      cell(of('psnr'), 1, 2),
      cell(of('ssim'), 1, 3),
      cell(of('rfd'), 1, 1),
      cell(of('probe'), 100, 1),
      cell(of('used'), 100, 0),
    ];
    return `| ${row} | ${cells.join(' | ')} | ${all.filter((m) => m.row === row).length} |`;
  });
  return `# Table 3 at mini scale

Made by \`npm run ablate -- DATA\` on ${adapter}. A tower of 6 blocks at 32 pixels is taught MobileNetV2's features for ${steps.tower} steps; every
row then trains from it for ${steps.row} steps of 32 pictures of CIFAR-10's subset (5,000), with equal data order, codes (4 of 8 bits at
8 x 8 positions) and seeds. "Deep" is block 5 of 6, "shallow" block 2. Losses are DualToken's, with SqueezeNet's features in LPIPS's place.
Measured on 1,000 held-out pictures: PSNR in dB, SSIM, the Fréchet distance of MobileNetV2's 1,280 features (more of them than pictures: it
is biased upwards, equally for all), top-1 of a linear probe on the pooled feature (after the semantic codes, where there are any) in
per cent, and the share of the pixel codebook in use. ± is the deviation over seeds.

| row | PSNR | SSIM | rFD-MobileNetV2 | probe, % | codes used, % | runs |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |
${lines.join('\n')}

## The paper's order

| claim | difference | here |
| --- | ---: | --- |
${claims.map((claim) => judged(all, claim)).join('\n')}

![Each row's runs by measure](plot.svg)
`;
};
