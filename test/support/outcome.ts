// Reads the output of one uvu file, for the test runner.

/** What one test file amounts to: numbers of tests, the reasons of the skipped ones. */
export interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skips: readonly string[];
  /** Why the file itself failed, apart from its tests. */
  readonly fault: string | null;
}

/**
 * What a finished test file says: uvu's last summary, the lines of `skip`, and how the process ended
 * (`end`: null when well, or what went wrong).
 */
export const judge = (output: string, end: string | null): Outcome => {
  const number = (label: string) => {
    const found = [...output.matchAll(new RegExp(`^ {2}${label}: +(\\d+)$`, 'gm'))].at(-1);
    return found ? Number(found[1]) : null;
  };
  const reasons = [...output.matchAll(/^SKIP( test)?: (.+)$/gm)];
  const skips = reasons.map(([, , reason]) => reason ?? '');
  const total = number('Total') ?? 0;
  const ran = number('Passed');
  const switchedOff = number('Skipped') ?? 0;
  for (let i = 0; i < switchedOff; i++) skips.push('a test switched off by .skip or .only');
  const passed = Math.max(0, (ran ?? 0) - reasons.filter(([, inTest]) => inTest !== undefined).length);
  const failed = total - (ran ?? 0);
  const silent = ran === null ? 'ended before its summary: does it call suite.run()?' : null;
  const empty = total === 0 && skips.length === 0 ? 'no tests ran' : null;
  // A file that only skips at module level has no summary, and needs none.
  const fault = end ?? (skips.length > 0 && total === 0 ? null : (silent ?? empty));
  if (failed > 0 && end === null)
    return { passed, failed: 0, skips, fault: 'a before or after hook threw (uvu hides its error)' };
  return { passed, failed, skips, fault: failed > 0 && end === 'exit code 1' ? null : fault };
};
