// `dualtoken pull`: published weights from the hub, into a folder.
import { basename, join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { printable } from '../../data/error.ts';
import { downloadFile, type HubFile, listRepository, openRepository, wantedFiles } from '../../data/hub/index.ts';
import { duration } from '../../train/report/index.ts';
import { bytesText } from '../bytes-text.ts';
import { need } from '../failure.ts';
import { type CommonOptions, withCommon } from '../options.ts';
import { type Output, outputTo } from '../output.ts';
import { openProgress } from '../progress.ts';
import { progressLine } from '../progress-line.ts';

interface PullOptions extends CommonOptions {
  readonly file?: readonly string[];
  readonly revision: string;
  readonly out?: string;
}

const sum = (files: readonly HubFile[]): number => files.reduce((bytes, { size }) => bytes + size, 0);

/** Shows how much of all files is there, and which of them comes. */
const progress = (output: Output, files: readonly HubFile[]) => {
  const { show, stop } = openProgress(output);
  const total = Math.max(1, sum(files));
  const started = performance.now();
  let [there, arrived] = [0, 0];
  let path = '';
  const view = (due: boolean): void => {
    const seconds = (performance.now() - started) / 1000;
    const speed = arrived / Math.max(seconds, 1e-3);
    const left = arrived > 0 ? [`${bytesText(speed)}/s`, `${duration((total - there) / speed)} left`] : [];
    const [share, head] = [there / total, [`${bytesText(there)} of ${bytesText(total)}`, ...left]];
    show(
      { line: (columns) => progressLine(columns, share, head.join('  '), {}, path), said: [...head, path].join(', ') },
      due,
    );
  };
  return {
    next: (file: HubFile): void => {
      path = file.path;
      view(true);
    },
    bytes: (change: number, fetched: boolean): void => {
      there += change;
      if (fetched) arrived += change;
      view(false);
    },
    stop,
  };
};

export const pull = async (name: string, options: PullOptions): Promise<void> => {
  const output = outputTo(options.json);
  const repository = await need(TE.fromEither(openRepository(name, options.revision, process.env)));
  const out = options.out ?? basename(name);
  const all = await need(listRepository(repository));
  const files = await need(wantedFiles(repository, all, options.file ?? []));
  const others = all.filter((file) => !files.includes(file));
  if (options.file === undefined && others.length > 0)
    output.log(`left out, but fetched by --file PATTERN: ${others.map(({ path }) => printable(path)).join(', ')}`);
  const bar = progress(output, files);
  const results: { readonly path: string; readonly bytes: number; readonly fetched: boolean }[] = [];
  try {
    for (const file of files) {
      bar.next(file);
      const fetched = await need(downloadFile(repository, file, out, { onBytes: bar.bytes }));
      results.push({ path: join(out, file.path), bytes: file.size, fetched });
    }
  } finally {
    bar.stop();
  }
  const fresh = results.filter(({ fetched }) => fetched).length;
  output.print(
    `${out}: ${files.length} files, ${bytesText(sum(files))}; ${fresh} fetched, ${files.length - fresh} were there`,
  );
  output.result({ repository: name, revision: options.revision, out, files: results });
};

const pattern = (text: string, before: readonly string[] = []): readonly string[] => {
  if (text === '') throw new InvalidArgumentError('It must name files.');
  return [...before, text];
};

export const pullCommand = (program: Command): Command =>
  withCommon(
    program
      .command('pull')
      .description('fetch published weights from the hub; what was begun goes on, what is whole is left alone')
      .argument('<repository>', 'owner/name on the hub that HF_ENDPOINT names, with HF_TOKEN where it asks for one'),
  )
    .option('--file <pattern>', 'files to fetch, again for more (default: safetensors, JSON and text)', pattern)
    .option('--revision <name>', 'branch, tag or commit', 'main')
    .option('-o, --out <folder>', "where they go (default: the repository's name)")
    .action(pull);
