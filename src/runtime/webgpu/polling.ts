// Dawn for Node asks for finished work in a loop of setImmediate, which keeps a whole core busy while the device works; on a software
// adapter that core is the device's own. Here the loop sleeps a millisecond a turn after a few quick ones.

/** Turns that are taken at once after work was submitted, so that short programs are not kept waiting. */
const QUICK = 24;
const SLEEP_MS = 1;

let quick = 0;
let installed = false;

/** Dawn's turn is a nameless native function without arguments. */
const isDawns = (f: unknown, args: readonly unknown[]): boolean =>
  typeof f === 'function' &&
  f.name === '' &&
  args.length === 0 &&
  /\[native code\]/.test(Function.prototype.toString.call(f));

/** Work was submitted: the next turns come quickly. */
export const expectWork = (): void => {
  quick = QUICK;
};

/** Puts the sleep into setImmediate, for Dawn's turns alone. Once a process, before Dawn is loaded. */
export const calmPolling = (): void => {
  if (installed || typeof globalThis.setImmediate !== 'function') return;
  installed = true;
  const immediate = globalThis.setImmediate;
  const calm = (f: (...args: unknown[]) => void, ...args: unknown[]): unknown =>
    isDawns(f, args) && quick-- <= 0 ? setTimeout(f, SLEEP_MS) : immediate(f, ...args);
  globalThis.setImmediate = Object.assign(calm, immediate) as typeof setImmediate;
};
