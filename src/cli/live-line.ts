// A line at the foot of a terminal that is drawn anew while work goes on, with what is logged above it.
import { MultiBar } from 'cli-progress';

/** What is drawn on: standard error, or what stands for it. */
export type Terminal = NodeJS.WritableStream & { readonly isTTY?: boolean };

/** A line that fits so many columns. */
export type Line = (columns: number) => string;

export interface LiveLine {
  readonly show: (line: Line) => void;
  readonly log: (line: string) => void;
  readonly stop: () => void;
}

/** Null where `stream` is no terminal. */
export const liveLine = (stream: Terminal, first: Line): LiveLine | null => {
  if (!stream.isTTY) return null;
  const bars = new MultiBar({
    stream,
    format: (_, { maxWidth }, { line }: { readonly line: Line }) => line(maxWidth - 1),
    // What was logged took the line's place.
    forceRedraw: true,
    // Whoever catches Ctrl-C ends the line.
    gracefulExit: false,
  });
  const bar = bars.create(1, 0, { line: first });
  let going = true;
  return {
    show: (line) => bar.update(0, { line }),
    log: (line) => bars.log(`${line}\n`),
    stop: () => {
      if (!going) return;
      going = false;
      // Lines that wait are written by an update only.
      bars.update();
      bars.stop();
    },
  };
};
