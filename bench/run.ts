// `npm run bench`: dualtoken beside its peers, a workload after the other, as a table, JSON, Markdown or plots.
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { basename } from 'node:path';
import { type Chosen, chooseEntrants, chooseWorkloads, UserError } from './choose.ts';
import { enginePath, PACKAGED } from './engine.ts';
import { type Entrant, ours, versionOf } from './entrants.ts';
import { installPeers } from './install.ts';
import { measureFirstCalls } from './measure/first-calls.ts';
import { type MeasureOptions, measure } from './measure/measure.ts';
import { compared, type Report, type Row } from './measure/results.ts';
import { coldEnv, type StartOptions, start } from './measure/start.ts';
import { type Options, parseOptions } from './options.ts';
import { draw } from './plot/draw.ts';
import type { Opened } from './process/calls.ts';
import type { Roofline } from './process/library.ts';
import { markdown } from './report/markdown.ts';
import { rowText, summaryText } from './report/text.ts';
import { verdictOf } from './targets.ts';
import { checkOf, type Oracle } from './workloads/checks.ts';

const progress = (line: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
};
/** A line a workload, for a log. */
const announce = (line: string): void => {
  if (!process.stderr.isTTY) console.error(line);
};
const loud = (line: string): void => console.error(`\n*** ${line}\n`);

/** A process of dualtoken's for as long as `use` takes. */
const withOurs = async <T>(
  backend: string,
  options: Omit<StartOptions, 'env'>,
  use: (call: ReturnType<typeof start>['call'], opened: Opened) => Promise<T>,
): Promise<T> => {
  const participant = start(ours(backend), { ...options, env: {} });
  try {
    return await use(participant.call, await participant.call('open', backend));
  } finally {
    participant.close();
  }
};

/** Dualtoken's programs in f64 between loads and stores, for what no formula is written down for here. */
const oracleOf =
  (options: Omit<StartOptions, 'env'>): Oracle =>
  (workload) =>
    withOurs('gpujs', options, async (call) => {
      await call('load', workload);
      return (await call('result')).values;
    });

const more = (a: Roofline | null, b: Roofline | null): Roofline | null =>
  a && b ? { flops: Math.max(a.flops, b.flops), bytes: Math.max(a.bytes, b.bytes) } : (a ?? b);

/** Those whose packages are there. */
const present = (entrants: readonly Entrant[], engine: string | undefined): readonly Entrant[] => {
  if (entrants.every((e) => e.package === null) && engine !== PACKAGED) return entrants;
  const why = installPeers((line) => console.error(line));
  if (why === null) return entrants;
  const left = entrants.filter((e) => e.package === null);
  if (left.length === 0 || engine === PACKAGED) throw new UserError(`the peers' packages cannot be installed: ${why}`);
  loud(`the peers' packages cannot be installed (${why}): dualtoken runs alone, and there are no ratios`);
  return left;
};

const given = process.argv.slice(2);
const quoted = (text: string): string => (/^[\w./=,-]+$/.test(text) ? text : `'${text}'`);

const measureAll = async (chosen: readonly Chosen[], entrants: readonly Entrant[], o: Options): Promise<Report> => {
  const starting = { engine: enginePath(o.engine), patienceMs: o.patience * 1000 };
  const opening = () =>
    withOurs(o.backend, starting, async (call, opened) => ({ opened, roofline: await call('roofline') }));
  const before = await opening();
  const base: Report = {
    command: ['npm run bench', ...(given.length > 0 ? ['--', ...given.map(quoted)] : [])].join(' '),
    ...before.opened,
    backend: o.backend,
    processor: cpus()[0]?.model ?? 'unknown processor',
    cores: cpus().length,
    day: new Date().toISOString().slice(0, 10),
    runs: o.runs,
    cold: o.cold,
    roofline: before.roofline,
    versions: Object.fromEntries(entrants.map((e) => [e.package ?? 'dualtoken', versionOf(e)])),
    rows: [],
  };
  // Dualtoken is where its backend is.
  const placed = entrants.map((e) => (e.id === 'ours' ? { ...e, on: base.on } : e));
  const quiet = o.json || o.markdown;
  const rows: Row[] = [];
  for (const { workload, cost, first } of chosen) {
    announce(`bench: ${workload.name}`);
    progress(`${workload.name}: the reference in f64`);
    const check = await checkOf(workload, oracleOf(starting));
    const options: MeasureOptions = {
      ...starting,
      env: o.cold ? coldEnv : {},
      runs: o.runs,
      on: base.on,
      log: progress,
      explain: o.explain ? (text) => (quiet ? console.error : console.log)(`\n${text}`) : null,
    };
    const entries = await (first === null
      ? measure(workload, placed, check, options)
      : measureFirstCalls(workload, first, placed, check, options));
    progress('');
    const row: Row = { workload, entries, cost, first, target: verdictOf(base, { workload, entries }) };
    rows.push(row);
    if (!quiet) console.log(rowText(row));
  }
  return { ...base, roofline: more(base.roofline, (await opening()).roofline), rows };
};

/** Rows in which dualtoken was to run and gave no right result in f32. */
const broken = ({ rows }: Report): readonly string[] =>
  rows.flatMap((row) => {
    const mine = row.entries.find((e) => e.id === 'ours');
    if (!mine || mine.status === 'lacking') return [];
    if (mine.status === 'failed') return [`${row.workload.name}: ${mine.why}`];
    const precise = compared(row)?.ours.precision === 'f32';
    return precise ? [] : [`${row.workload.name}: the error is ${mine.timing.error.toExponential(1)}`];
  });

const main = async (): Promise<void> => {
  const { workloads, options } = parseOptions(given);
  const chosen = chooseWorkloads(workloads, options);
  const report = await measureAll(chosen, present(chooseEntrants(options), options.engine), options);
  if (options.plot !== undefined) writeFileSync(options.plot, draw(report));
  if (options.json) console.log(JSON.stringify(report, null, 2));
  else if (options.markdown) console.log(markdown(report, options.plot === undefined ? null : basename(options.plot)));
  else console.log(summaryText(report));
  const faults = broken(report);
  for (const fault of faults) console.error(`dualtoken failed: ${fault}`);
  if (faults.length > 0) process.exitCode = 1;
};

try {
  await main();
} catch (thrown) {
  console.error(thrown instanceof Error ? thrown.message : String(thrown));
  process.exitCode = 1;
}
