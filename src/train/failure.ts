// What ends a run, in a sentence for the person who started it.

import { TrainFailure } from '../checkpoints/index.ts';

export { TrainFailure };

/** A configuration that makes no run. */
export class ConfigFailure extends TrainFailure {
  /** Everything that is wrong with it, a sentence each. */
  readonly faults: readonly string[];
  constructor(faults: readonly string[]) {
    super(`the configuration:\n  ${faults.join('\n  ')}`);
    this.faults = faults;
  }
}
