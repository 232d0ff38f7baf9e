// What ends a run, in a sentence for the person who started it.

/** A run that cannot go on. */
export class TrainFailure extends Error {
  override readonly name = 'TrainFailure';
}
