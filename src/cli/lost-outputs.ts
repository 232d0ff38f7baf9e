// Standard output and error that can no longer be written: work goes on, for what it writes into files is worth having.
import { codeOf, describeCause } from '../data/error.ts';

/**
 * From now on a reader that went away (`| head`) or a closed terminal ends nothing. What standard output refuses for another reason, as a
 * full disk, is one line on standard error, and `lostOutputs(process)()` is true.
 */
export const lostOutputs = ({ stdout, stderr }: Pick<NodeJS.Process, 'stdout' | 'stderr'>): (() => boolean) => {
  let lost = false;
  stderr.on('error', () => {});
  stdout.on('error', (cause) => {
    if (lost || codeOf(cause) === 'EPIPE') return;
    lost = true;
    stderr.write(`dualtoken: standard output cannot be written: ${describeCause(cause)}\n`);
  });
  return () => lost;
};
