// Counts what a library hands to Dawn during a run, by wrapping the classes that it calls.
import type { DawnClasses } from './dawn.ts';

export interface Counts {
  readonly dispatches: number;
  readonly submits: number;
}

/** Replaces a method by one that calls `before` first; gives what takes it back. */
const wrapped = <K extends string>(on: { [key in K]: (...args: never[]) => unknown }, name: K, before: () => void) => {
  const original = on[name];
  on[name] = function (this: unknown, ...args: never[]) {
    before();
    return original.apply(this, args);
  };
  return () => {
    on[name] = original;
  };
};

/** The dispatches and submissions of `run`; null where there is nothing to wrap. */
export const counted = async (classes: DawnClasses | undefined, run: () => Promise<void>): Promise<Counts | null> => {
  if (!classes) {
    await run();
    return null;
  }
  let [dispatches, submits] = [0, 0];
  const dispatched = (): void => {
    dispatches++;
  };
  const pass = classes.GPUComputePassEncoder.prototype;
  const restore = [
    wrapped(pass, 'dispatchWorkgroups', dispatched),
    wrapped(pass, 'dispatchWorkgroupsIndirect', dispatched),
    wrapped(classes.GPUQueue.prototype, 'submit', () => {
      submits++;
    }),
  ];
  try {
    await run();
  } finally {
    for (const back of restore) back();
  }
  return { dispatches, submits };
};
