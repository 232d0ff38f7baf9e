// Shows how far something is that takes long: a bar on a terminal, else a line now and then.
import { duration } from '../train/report/index.ts';
import { type LiveLine, liveLine, type Terminal } from './live-line.ts';
import type { Output } from './output.ts';
import { progressLine } from './progress-line.ts';

export interface TaskProgress {
  /** What is being done now, from the start of it. */
  readonly begin: (what: string) => void;
  /** The share of it that is done, 0 to 1. */
  readonly show: (share: number) => void;
  /** A line above the bar. */
  readonly log: (line: string) => void;
  readonly stop: () => void;
}

/** What takes less is not worth a line, and so often are lines written where there is no terminal; milliseconds. */
const [PATIENCE, QUIET] = [2000, 10000] as const;

export const taskProgress = (output: Output, stream: Terminal = process.stderr): TaskProgress => {
  let what = '';
  let [began, logged] = [0, 0];
  let line: LiveLine | null = null;
  const stop = (): void => {
    line?.stop();
    line = null;
  };
  return {
    begin: (name) => {
      stop();
      what = name;
      began = performance.now();
      logged = began - QUIET + PATIENCE;
    },
    show: (share) => {
      const now = performance.now();
      if (now - began < PATIENCE) return;
      const seconds = (now - began) / 1000;
      const left = share > 0.02 ? [`${duration((seconds * (1 - share)) / share)} left`] : [];
      const head = [what, `${Math.round(100 * share)} %`, ...left];
      const drawn = (columns: number): string => progressLine(columns, share, head.join('  '), {});
      line ??= liveLine(stream, drawn);
      line?.show(drawn);
      if (line !== null || now - logged < QUIET) return;
      logged = now;
      output.log(head.join(', '));
    },
    log: (text) => {
      if (line === null) output.log(text);
      else line.log(text);
    },
    stop,
  };
};
