// How far a run is: the share of a program's work that is done when each of its steps is.
import type { Program } from '../compiler/program.ts';

/** Work below which a run is over before anybody asks how far it is; FLOPs and bytes moved. */
const LONG = 2e10;

/** For each step the share of the work that is done with it, 0 to 1; null for a program too short to be watched. */
export const sharesOf = ({ steps }: Pick<Program, 'steps'>): Float64Array | null => {
  const done = new Float64Array(steps.length);
  let sum = 0;
  for (const [i, { origin }] of steps.entries()) {
    sum += origin.flops + origin.bytes;
    done[i] = sum;
  }
  return sum < LONG ? null : done.map((work) => work / sum);
};
