// Shows how far something is that takes long, once it does.
import { duration } from '../train/report/index.ts';
import type { Output } from './output.ts';
import { openProgress, type Progress, type Terminal } from './progress.ts';
import { progressLine } from './progress-line.ts';

export interface TaskProgress extends Pick<Progress, 'log' | 'stop'> {
  /** What is being done now, from the start of it. */
  readonly begin: (what: string) => void;
  /** The share of it that is done, 0 to 1. */
  readonly show: (share: number) => void;
}

/** What takes less is not worth a line; milliseconds. */
const PATIENCE = 2000;

export const taskProgress = (
  output: Output,
  stream: Terminal = process.stderr,
  clock: () => number = () => performance.now(),
): TaskProgress => {
  const { show, log, stop } = openProgress(output, stream, clock);
  let [what, began] = ['', 0];
  return {
    begin: (name) => {
      stop();
      [what, began] = [name, clock()];
    },
    show: (share) => {
      const seconds = (clock() - began) / 1000;
      if (1000 * seconds < PATIENCE) return;
      const left = share > 0.02 ? [`${duration((seconds * (1 - share)) / share)} left`] : [];
      const head = [`${Math.round(100 * share)} %`, ...left];
      show({
        line: (columns) => progressLine(columns, share, head.join('  '), {}, what),
        said: [what, ...head].join(', '),
      });
    },
    log,
    stop,
  };
};
