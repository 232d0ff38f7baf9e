// `npm run ablate -- DATA`: Table 3 of the paper at mini scale. Teaches a tower, trains every row from it with each seed, measures all on
// held-out pictures, and writes RESULTS.md, results.json, plot.svg and log.jsonl. Runs that are there are gone on with, or left alone when done.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as E from 'fp-ts/lib/Either.js';
import { openRuntime, type Runtime } from '../../src/index.ts';
import {
  latestCheckpoint,
  parseTrainConfig,
  runTraining,
  type TrainConfig,
  type TrainConfigInput,
} from '../../src/train/index.ts';
import { lengths, type Places, type Row, rowConfig, rows, runName, towerConfig } from './configs.ts';
import { logOf } from './log.ts';
import { type Measures, measure, need } from './measure.ts';
import { plotOf } from './plot.ts';
import { type Measured, resultsPage } from './results.ts';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '3' },
    out: { type: 'string', default: 'runs/table3' },
    'tower-steps': { type: 'string', default: `${lengths.tower}` },
    'row-steps': { type: 'string', default: `${lengths.row}` },
    results: { type: 'string', default: dirname(fileURLToPath(import.meta.url)) },
  },
});
const [data] = positionals;
if (data === undefined) {
  console.error(
    'usage: npm run ablate -- DATA [--seeds 3] [--out runs/table3]: DATA holds cifar10-subset, imagenet-sample-1000,',
  );
  console.error('mobilenet_v2_10_224-imagenet and squeezenet1_0-imagenet (experiments/DATA.md)');
  process.exit(2);
}
const whole = (name: 'seeds' | 'tower-steps' | 'row-steps'): number => {
  const n = Number(options[name]);
  if (!Number.isInteger(n) || n < 1) throw new Error(`--${name} ${options[name]}: a whole number from 1 on is wanted`);
  return n;
};
const places: Places = { data: resolve(data), out: resolve(options.out) };
const steps = { tower: whole('tower-steps'), row: whole('row-steps') };

const configOf = (input: TrainConfigInput): TrainConfig => {
  const parsed = parseTrainConfig(input);
  if (E.isLeft(parsed)) throw new Error(parsed.left.join('\n'));
  return parsed.right;
};

/** Trains to the end, from where a run of the same folder stands. */
const trained = async (runtime: Runtime, input: TrainConfigInput): Promise<string> => {
  const config = configOf(input);
  const from = await need(latestCheckpoint(config.out));
  const model = join(config.out, 'model.safetensors');
  if (from !== null && from.info.step >= config.steps && existsSync(model)) return model;
  console.log(`${config.out}: ${from === null ? 'begins' : `goes on after step ${from.info.step}`}`);
  const every = Math.ceil(config.steps / 10);
  await runTraining(runtime, config, from, {
    log: console.log,
    onStep: ({ loss }, at) => {
      if (at.step % every === 0) console.log(`  step ${at.step} of ${config.steps}, loss ${loss.toPrecision(4)}`);
    },
    stopped: () => false,
  });
  return model;
};

const tools = {
  cifar: join(places.data, 'cifar10-subset'),
  mobilenet: join(places.data, 'mobilenet_v2_10_224-imagenet'),
};

/** Measures a model once: what was found lies beside it, with the digest of what was measured. */
const measured = async (runtime: Runtime, model: string): Promise<Measures> => {
  const path = join(dirname(model), 'measures.json');
  const digest = createHash('sha256')
    .update(await readFile(model))
    .digest('hex');
  const known: { readonly digest?: string; readonly measures: Measures } | null = await readFile(path, 'utf8').then(
    JSON.parse,
    () => null,
  );
  if (known?.digest === digest) return known.measures;
  const measures = await measure(runtime, model, tools, console.log);
  await writeFile(path, `${JSON.stringify({ digest, measures })}\n`);
  return measures;
};

await mkdir(places.out, { recursive: true });
const runtime = await openRuntime({ log: console.log });
const all: Measured[] = [];
const began = performance.now();
try {
  const tower = await trained(runtime, towerConfig(places, steps.tower));
  all.push({ row: 'initial, continuous', seed: 0, measures: await measured(runtime, tower) });
  for (let seed = 0; seed < whole('seeds'); seed++)
    for (const row of Object.keys(rows) as Row[]) {
      const model = await trained(runtime, rowConfig(places, row, seed, tower, steps.row));
      const measures = await measured(runtime, model);
      all.push({ row, seed, measures });
      console.log(`${runName(row, seed)}: ${JSON.stringify(measures)}`);
      // Written after every run, so that what is done can be looked at.
      await writeFile(join(options.results, 'results.json'), `${JSON.stringify({ steps, runs: all }, null, 1)}\n`);
      await writeFile(join(options.results, 'RESULTS.md'), resultsPage(all, steps, runtime.backend.caps.name));
      await writeFile(join(options.results, 'plot.svg'), plotOf(all));
    }
  const names = all.map(({ row, seed }) => (row === 'initial, continuous' ? 'tower' : runName(row, seed)));
  await writeFile(join(options.results, 'log.jsonl'), await logOf(places.out, names));
} finally {
  runtime.close();
}
console.log(`done in ${Math.round((performance.now() - began) / 60000)} minutes; ${options.results}/RESULTS.md`);
