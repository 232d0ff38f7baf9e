// `dualtoken tune`: measures the schedules of a variant's kernels on this adapter, and keeps the fastest for every run from then on.
import { Argument, type Command, Option } from 'commander';
import { tryCatch } from 'fp-ts/lib/TaskEither.js';
import type { Caps } from '../../compiler/ir/caps.ts';
import { isCurrent } from '../../compiler/select/candidates.ts';
import { type Choice, sizeClasses, type TuningTable } from '../../compiler/select/tuning.ts';
import { fileError } from '../../data/error.ts';
import { mainVariants } from '../../models/variants/index.ts';
import { orThrow } from '../../runtime/attempt.ts';
import type { Backend } from '../../runtime/backend.ts';
import { openBackend } from '../../runtime/choose.ts';
import { type CountedCall, callsOf } from '../../runtime/tune/calls.ts';
import { tuneElementwise } from '../../runtime/tune/elementwise.ts';
import { writeEnvironment } from '../../runtime/tune/environment.ts';
import { lossOf, regretsOf } from '../../runtime/tune/regret.ts';
import { measureRoofline, type Roofline } from '../../runtime/tune/roofline.ts';
import { readTable, tableFile, tableIn, writeTable } from '../../runtime/tune/store.ts';
import { checkCall, tuneCall } from '../../runtime/tune/tune.ts';
import { duration } from '../../train/report/index.ts';
import { need, UserFailure } from '../failure.ts';
import { graphOf, type Part, parts, variantNamed } from '../graphs.ts';
import { type Interruption, interruption } from '../interruption.ts';
import { type CommonOptions, wholeNumber, withCommon, withSeed } from '../options.ts';
import { type Output, outputTo } from '../output.ts';
import { openProgress } from '../progress.ts';
import { progressLine } from '../progress-line.ts';
import { fastestEnvironment, type Probe } from '../tune-environment.ts';

interface TuneCommandOptions extends CommonOptions {
  readonly all: boolean;
  readonly part?: Part;
  readonly batch: number;
  readonly limit?: number;
  readonly redo: boolean;
  readonly fast: boolean;
  readonly probe: boolean;
  readonly report?: string | true;
  readonly backend?: 'webgpu' | 'wasm';
  readonly seed: number;
}

/** Kernels that a probe of the driver's settings times. */
const PROBED = 6;

const opened = ({ backend }: TuneCommandOptions, output: Output): Promise<Backend> =>
  orThrow(openBackend({ ...(backend ? { backend } : {}), log: output.log }));

const text = ({ template, schedule }: Choice): string => `${template} ${JSON.stringify(schedule)}`;

const callsFor = (caps: Caps, names: readonly string[], { part, batch }: TuneCommandOptions) =>
  callsOf(
    caps,
    names.flatMap((name) => (part ? [part] : parts).map((p) => graphOf(variantNamed(name), p, batch))),
  );

/** The heaviest kernels, checked and timed as the heuristics choose them: what a child process reports of a driver's setting. */
const probe = async (backend: Backend, calls: readonly CountedCall[], seed: number): Promise<Probe> => {
  let ms = 0;
  for (const { key, call, count } of calls.slice(0, PROBED)) {
    const found = await checkCall(backend, call, seed);
    if (typeof found === 'string') return { software: backend.caps.software, ms: null, wrong: `${key}: ${found}` };
    ms += count * found;
  }
  return { software: backend.caps.software, ms, wrong: null };
};

/** Shows which kernel of how many is measured. */
const progress = (output: Output, total: number) => {
  const { show, log, stop } = openProgress(output);
  const started = performance.now();
  let at = 0;
  return {
    next: (what: string): void => {
      const seconds = (performance.now() - started) / 1000;
      const left = at > 0 ? [`${duration((seconds * (total - at)) / at)} left`] : [];
      const [share, head] = [at / total, [`${at + 1}/${total}`, ...left]];
      at++;
      show({
        line: (columns) => progressLine(columns, share, head.join('  '), {}, what),
        said: [...head, what].join('  '),
      });
    },
    log,
    stop,
  };
};

/** Keeps what was measured. @throws UserFailure where it cannot be written */
const keep = async ({ caps }: Backend, table: TuningTable): Promise<void> =>
  need(tryCatch(() => writeTable(caps, table), fileError('write', tableFile(caps) ?? '')));

interface Totals {
  readonly measured: number;
  readonly known: number;
  readonly stopped: boolean;
}

/** What a processor does at most no probe says: an engine spills its chains sooner than a product's. Every schedule is tried. */
const UNKNOWN: Roofline = { flops: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };

const tuneCalls = async (
  backend: Backend,
  calls: readonly CountedCall[],
  { redo, limit, seed }: TuneCommandOptions,
  output: Output,
): Promise<{ readonly totals: Totals; readonly end: Interruption['end'] }> => {
  let table: TuningTable = await readTable(backend.caps, output.log);
  // A table that cannot be written ends it before anything is measured.
  await keep(backend, table);
  const isKnown = ({ key, call }: CountedCall): boolean => isCurrent(table.entries[key], call, backend.caps);
  const fresh = calls.filter((c) => redo || !isKnown(c));
  const roofline = backend.caps.target === 'wasm' ? UNKNOWN : await measureRoofline(backend);
  const peak =
    roofline === UNKNOWN
      ? ''
      : `; at most ${(roofline.flops / 1e9).toFixed(1)} GFLOP/s and ${(roofline.bytes / 1e9).toFixed(1)} GB/s here`;
  output.log(`${calls.length} kernels to measure, ${calls.length - fresh.length} known already${peak}`);
  const bar = progress(output, fresh.length);
  const signal = interruption(() => bar.log('stopping after this candidate; what was measured is kept'));
  let measured = 0;
  try {
    for (const { key, call } of fresh) {
      if (signal.asked()) break;
      bar.next(key);
      const entry = await tuneCall(backend, call, {
        roofline,
        onDrop: (choice, why) => bar.log(`dropped ${text(choice)}: ${why}`),
        stopped: signal.asked,
        seed,
      });
      if (signal.asked()) break;
      if (!entry) {
        bar.log(
          `no schedule is right for ${key}: please report this with the name of your adapter, ${backend.caps.name}`,
        );
        continue;
      }
      table = { ...table, entries: { ...table.entries, [key]: entry } };
      await keep(backend, table);
      measured++;
      const gain = (x: { readonly ms: number }): string => `${(entry.heuristic.ms / x.ms).toFixed(2)}x`;
      bar.log(
        `${key}: ${text(entry.exact)}  ${entry.exact.ms.toFixed(3)} ms, ${gain(entry.exact)} of untuned; with --fast ${gain(entry.fast)}`,
      );
    }
    for (const exponent of sizeClasses) {
      if (signal.asked() || limit !== undefined || (!redo && table.elementwise[exponent])) continue;
      const entry = await tuneElementwise(backend, exponent, {
        onDrop: (c, why) => bar.log(`dropped elementwise ${JSON.stringify(c)}: ${why}`),
        stopped: signal.asked,
        seed,
      });
      if (!entry) continue;
      table = { ...table, elementwise: { ...table.elementwise, [exponent]: entry } };
      await keep(backend, table);
      const { ms, ...best } = entry.best;
      bar.log(
        `2^${exponent} elements, each by itself: ${JSON.stringify(best)}  ${ms.toFixed(3)} ms, ${(entry.heuristic.ms / ms).toFixed(2)}x of untuned`,
      );
    }
  } finally {
    bar.stop();
    signal.release();
  }
  return { totals: { measured, known: calls.length - fresh.length, stopped: signal.asked() }, end: signal.end };
};

/** The table of a file, or of the adapter at hand. */
const tableOf = async (options: TuneCommandOptions, output: Output): Promise<TuningTable> => {
  const { report } = options;
  if (report === undefined || report === true) {
    const backend = await opened(options, output);
    const table = await readTable(backend.caps, output.log);
    backend.dispose();
    return table;
  }
  const table = await tableIn(report).catch(() => null);
  if (table === null) throw new UserFailure(`${report} is no table of measured schedules`);
  return table;
};

/** What the heuristics lose against a table, call by call. */
const printRegrets = async (names: readonly string[], options: TuneCommandOptions, output: Output): Promise<void> => {
  const table = await tableOf(options, output);
  const { regrets, unknown } = regretsOf(table, callsFor(table.caps, names, options));
  for (const { key, count, chosen, best } of regrets)
    output.print(
      `${(chosen.ms / best.ms).toFixed(2)}x  ${count} of ${key}\n       ${text(chosen)}  ${chosen.ms.toFixed(3)} ms; best ${text(best)}  ${best.ms.toFixed(3)} ms`,
    );
  const lost = regrets.length === 0 ? 'nothing was measured' : `untuned ${(100 * lossOf(regrets)).toFixed(1)} % slower`;
  output.print(`${table.caps.name}: ${regrets.length} kernels, ${lost}; ${unknown.length} not measured`);
  output.result({ adapter: table.caps.name, variants: names, regrets, unknown });
};

export const tune = async (variant: string, options: TuneCommandOptions): Promise<void> => {
  const output = outputTo(options.json);
  const names = options.all ? mainVariants : [variant];
  for (const name of names) variantNamed(name);
  if (options.report !== undefined) {
    await printRegrets(names, options, output);
    return;
  }
  // What compilers and drivers kept would hide how long a kernel takes to compile.
  process.env.MESA_SHADER_CACHE_DISABLE ??= 'true';
  // Other settings of a driver give other last bits, so runs without --fast go on with its own.
  if (options.fast && !options.probe && options.backend !== 'wasm') {
    const found = await fastestEnvironment(options.part ?? 'encode', variant, output.log);
    await writeEnvironment(found);
    for (const [name, value] of Object.entries(found)) process.env[name] = value;
  }
  const backend = await opened(options, output);
  try {
    if (tableFile(backend.caps) === null)
      throw new UserFailure(
        'DUALTOKEN_CACHE is off, so there is nowhere to keep what is measured: unset it, or name a folder',
      );
    const calls = callsFor(backend.caps, names, options).slice(0, options.limit);
    if (options.probe) {
      output.result(await probe(backend, calls, options.seed));
      return;
    }
    const { totals, end } = await tuneCalls(backend, calls, options, output);
    const file = tableFile(backend.caps)!;
    output.print(
      `${totals.stopped ? 'stopped: ' : ''}${totals.measured} kernels measured, ${totals.known} known before; kept in ${file}`,
    );
    if (totals.stopped) output.print('the same command goes on where it stopped');
    output.result({ adapter: backend.caps.name, variants: names, ...totals, file });
    end();
  } finally {
    backend.dispose();
  }
};

export const tuneCommand = (program: Command): Command =>
  withSeed(
    withCommon(
      program
        .command('tune')
        .description(
          'measure the schedules of kernels on this adapter and keep the fastest; Ctrl-C keeps what is done and stops (exit code 130)',
        ),
    ),
    'seed of the numbers that kernels are measured and checked with',
  )
    .addArgument(new Argument('[variant]', 'name of the variant').default('mini'))
    .option('--all', `${mainVariants.join(' and ')}: the published model and the one that trains anywhere`, false)
    .addOption(
      new Option(
        '--backend <name>',
        'what to tune; default: webgpu on a graphics card, else wasm on the processor',
      ).choices(['webgpu', 'wasm']),
    )
    .addOption(new Option('--part <name>', 'one program only; default: all of them').choices(parts))
    .option('--batch <number>', 'pictures at once', wholeNumber(1, 4096), 1)
    .option('--limit <number>', 'only so many kernels, those with most work', wholeNumber(1))
    .option(
      '--report [table]',
      "what the heuristics lose against a table of measured schedules; default: this adapter's",
    )
    .option('--redo', 'measure again what is known already', false)
    .option('--fast', "for runs with --fast: under a software driver's fastest settings, which change last bits", false)
    .addOption(new Option('--probe', 'time the heaviest kernels only').default(false).hideHelp())
    .action(tune);
