// How far work is: a line at the foot of a terminal that is drawn anew, with what is logged above it; elsewhere a plain line now and then.
import { MultiBar } from 'cli-progress';
import { printable } from '../data/error.ts';
import type { Output } from './output.ts';

/** What is drawn on: standard error, or what stands for it. */
export type Terminal = NodeJS.WritableStream & { readonly isTTY?: boolean };

/** How far work is, in both forms. */
export interface View {
  /** A line that fits so many columns. */
  readonly line: (columns: number) => string;
  /** What is said where there is no terminal. */
  readonly said: string;
}

export interface Progress {
  /** Where there is no terminal it is said at most every ten seconds, but for what is `due`: said whenever the last was. */
  readonly show: (view: View, due?: boolean) => void;
  /** A line above the one that is drawn. */
  readonly log: (line: string) => void;
  /** Leaves the line as it is; another begins when something is shown again. */
  readonly stop: () => void;
}

/** Between lines where there is no terminal, and between drawings where there is one; milliseconds. */
const [QUIET, DRAWN] = [10_000, 100] as const;

/** Whether the terminal goes on in the next row after its last column. */
const [WRAPS, CUTS] = ['\u001b[?7h', '\u001b[?7l'] as const;

interface Drawn {
  readonly show: (line: View['line']) => void;
  readonly log: (line: string) => void;
  readonly stop: () => void;
}

const drawnOn = (stream: Terminal, first: View['line'], clock: () => number): Drawn => {
  const bars = new MultiBar({
    stream,
    format: (_, { maxWidth }, { line }: { readonly line: View['line'] }) => printable(line(maxWidth - 1)),
    // What was logged took the line's place.
    forceRedraw: true,
    // Whoever catches Ctrl-C ends the line.
    gracefulExit: false,
    linewrap: true,
  });
  // Letters may take two columns. Only while it is drawn: whoever ends the process must not leave a terminal that cuts.
  for (const begins of ['redraw-pre', 'stop-pre-clear']) bars.on(begins, () => stream.write(CUTS));
  for (const ends of ['redraw-post', 'stop']) bars.on(ends, () => stream.write(WRAPS));
  const bar = bars.create(1, 0, { line: first });
  const stop = (): void => {
    process.off('exit', stop);
    bars.stop();
  };
  // Whatever ends the process, the terminal wraps lines and shows its cursor again.
  process.on('exit', stop);
  let drawn = Number.NEGATIVE_INFINITY;
  const draw = (): void => {
    drawn = clock();
    bars.update();
  };
  draw();
  return {
    show: (line) => {
      bar.update(0, { line });
      // Work that leaves the event loop no turn would leave the timer none.
      if (clock() - drawn >= DRAWN) draw();
    },
    log: (line) => {
      bars.log(`${WRAPS}${line}\n${CUTS}`);
      draw();
    },
    stop,
  };
};

/** A dumb terminal cannot go back in a line. */
const isDrawnOn = ({ isTTY }: Terminal): boolean => isTTY === true && process.env.TERM !== 'dumb';

/** `clock`: milliseconds. */
export const openProgress = (
  output: Output,
  stream: Terminal = process.stderr,
  clock: () => number = () => performance.now(),
): Progress => {
  let drawn: Drawn | null = null;
  let said = Number.NEGATIVE_INFINITY;
  return {
    show: (view, due = false) => {
      if (isDrawnOn(stream)) {
        if (drawn === null) drawn = drawnOn(stream, view.line, clock);
        else drawn.show(view.line);
      } else if (due || clock() - said >= QUIET) {
        said = clock();
        output.log(printable(view.said));
      }
    },
    log: (line) => {
      if (drawn === null) output.log(line);
      else drawn.log(line);
    },
    stop: () => {
      drawn?.stop();
      drawn = null;
    },
  };
};
