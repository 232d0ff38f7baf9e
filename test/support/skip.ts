// Skipping out loud: the runner (test/run.ts) counts these lines and lists the reasons at the end.

/** uvu keeps a `null` at the head of its queue until the first suite of the file starts. */
const running = () => {
  const queue: unknown = Reflect.get(globalThis, 'UVU_QUEUE');
  return Array.isArray(queue) && Array.isArray(queue[0]) && queue[0][0] !== null;
};

/**
 * Says that something isn't tested here, and why.
 * Inside a test, return right after it: the test then counts as skipped instead of passed.
 * At module level it stands for the tests that the file doesn't register.
 */
export const skip = (reason: string): void => {
  console.log(`\nSKIP${running() ? ' test:' : ':'} ${reason.replaceAll('\n', ' ')}`);
};
