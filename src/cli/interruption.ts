// Ctrl-C, a supervisor's end and a terminal that is closed, for commands that end in order.
import { constants } from 'node:os';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type Signal = (typeof signals)[number];

/** Ends a command that was asked to stop and did, after its results: nothing went wrong, and not all is done. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
  /** As a shell has it of a process that a signal ended. */
  readonly exitCode: number;
  constructor(signal: Signal) {
    super(`stopped by ${signal}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

export interface Interruption {
  readonly asked: () => boolean;
  /** @throws Stopped where it was asked */
  readonly end: () => void;
  readonly release: () => void;
}

/** Milliseconds within which a second Ctrl-C is the first: programs that run others hand it on beside the terminal. */
const SAME = 1000;

/**
 * A flag that the first signal sets, after calling `onFirst`. A second Ctrl-C ends the process at once; other signals never do, for
 * `timeout` and others send theirs to a process and to its group.
 */
export const interruption = (onFirst: () => void): Interruption => {
  let by: Signal | null = null;
  let pressed = Number.POSITIVE_INFINITY;
  const onSignal = (signal: Signal): void => {
    if (by === null) onFirst();
    by ??= signal;
    if (signal !== 'SIGINT') return;
    const now = performance.now();
    if (now - pressed >= SAME) process.exit(128 + constants.signals.SIGINT);
    pressed = Math.min(pressed, now);
  };
  for (const signal of signals) process.on(signal, onSignal);
  return {
    asked: () => by !== null,
    end: () => {
      if (by !== null) throw new Stopped(by);
    },
    release: () => {
      for (const signal of signals) process.off(signal, onSignal);
    },
  };
};
