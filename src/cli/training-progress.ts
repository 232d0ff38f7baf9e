// Shows how far a training is: a bar with its terms on a terminal, else a line now and then.
import { duration, short } from '../train/report/index.ts';
import { type LiveLine, liveLine, type Terminal } from './live-line.ts';
import type { Output } from './output.ts';
import { progressLine } from './progress-line.ts';

/** Where a training stands. */
export interface Passed {
  readonly step: number;
  /** Images seen. */
  readonly sample: number;
  /** Seconds of training. */
  readonly seconds: number;
}

export interface TrainingProgress {
  /** Begins after `step` steps. */
  readonly start: (step: number) => void;
  /** Shows a step that is done, and what was measured in it, the most important first. */
  readonly step: (at: Passed, terms: Readonly<Record<string, number>>) => void;
  /** Shows what share of a long program is done, within a step. */
  readonly within: (share: number) => void;
  /** A line above the bar. */
  readonly log: (line: string) => void;
  readonly stop: () => void;
}

/** Steps that speed is measured over. */
const WINDOW = 50;
/** Seconds of training between lines where there is no terminal. */
const QUIET = 10;

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
): TrainingProgress => {
  let line: LiveLine | null = null;
  let recent: readonly Passed[] = [];
  let logged = Number.NEGATIVE_INFINITY;
  let [done, said] = [0, Number.NEGATIVE_INFINITY];
  return {
    start: (step) => {
      done = step;
      line = liveLine(stream, (columns) => progressLine(columns, step / total, `${step}/${total}`, {}));
    },
    step: (at, terms) => {
      recent = [...recent.slice(-WINDOW), at];
      done = at.step;
      const place = `${at.step}/${total}`;
      const rates = speed(recent[0]!, at, total);
      line?.show((columns) => progressLine(columns, at.step / total, [place, ...rates].join('  '), terms));
      if (line !== null || (at.seconds - logged < QUIET && at.step !== total)) return;
      logged = at.seconds;
      const each = Object.entries(terms).map(([name, x]) => `${name} ${short(x)}`);
      output.log([`step ${place}`, ...each, ...rates].join('  '));
    },
    within: (share) => {
      // After the last step samples are painted.
      const what = done === total ? 'samples' : 'the next';
      const place = `${done}/${total}, ${what} to ${Math.round(100 * share)} %`;
      line?.show((columns) => progressLine(columns, done / total, place, {}));
      const now = performance.now() / 1000;
      if (line !== null || now - said < QUIET) return;
      said = now;
      output.log(`step ${place}`);
    },
    log: (text) => {
      if (line === null) output.log(text);
      else line.log(text);
    },
    stop: () => {
      line?.stop();
      line = null;
    },
  };
};
