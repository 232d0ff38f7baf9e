// Shows how far a training is, with its terms, from before its first step.
import { duration, short } from '../train/report/index.ts';
import type { Output } from './output.ts';
import { openProgress, type Progress, type Terminal } from './progress.ts';
import { progressLine } from './progress-line.ts';

/** Where a training stands. */
export interface Passed {
  readonly step: number;
  /** Images seen. */
  readonly sample: number;
  /** Seconds of training. */
  readonly seconds: number;
}

export interface TrainingProgress extends Pick<Progress, 'log' | 'stop'> {
  /** Begins after `step` steps. */
  readonly start: (step: number) => void;
  /** Shows a step that is done, and what was measured in it, the most important first. */
  readonly step: (at: Passed, terms: Readonly<Record<string, number>>) => void;
  /** Shows what share of a long program is done, within a step. */
  readonly within: (share: number) => void;
}

/** Steps that speed is measured over. */
const WINDOW = 50;

/** Images a second and the time that is left, over the last steps; nothing before there are two. */
const speed = (first: Passed, last: Passed, total: number): readonly string[] => {
  const seconds = last.seconds - first.seconds;
  if (last.step === first.step || seconds <= 0) return [];
  const left = ((total - last.step) * seconds) / (last.step - first.step);
  return [`${short((last.sample - first.sample) / seconds)} images/s`, `${duration(left)} left`];
};

/** The progress of a training of `total` steps. */
export const trainingProgress = (
  output: Output,
  total: number,
  stream: Terminal = process.stderr,
  clock: () => number = () => performance.now(),
): TrainingProgress => {
  const { show, log, stop } = openProgress(output, stream, clock);
  let recent: readonly Passed[] = [];
  let done = 0;
  const place = (): string => `${done}/${total}`;
  const between = (what: string, due: boolean): void =>
    show(
      {
        line: (columns) => progressLine(columns, done / total, place(), {}, what),
        said: `step ${place()}, ${what}`,
      },
      due,
    );
  return {
    start: (step) => {
      done = step;
      // After the last step nothing is compiled but what paints samples.
      if (step < total) between('preparing and compiling the next', true);
    },
    step: (at, terms) => {
      const first = recent.length === 0;
      recent = [...recent.slice(-WINDOW), at];
      done = at.step;
      const rates = speed(recent[0]!, at, total);
      const each = Object.entries(terms).map(([name, x]) => `${name} ${short(x)}`);
      const [where, share] = [place(), done / total];
      show(
        {
          line: (columns) => progressLine(columns, share, [where, ...rates].join('  '), terms),
          said: [`step ${where}`, ...each, ...rates].join('  '),
        },
        first || done === total,
      );
    },
    within: (share) => between(`${done === total ? 'samples' : 'the next'} to ${Math.round(100 * share)} %`, false),
    log,
    stop,
  };
};
