// What a model that is trained or used cannot do, in a sentence for the person who asked for it.

/** A run that cannot go on, or a use of a model that it is not made for. */
export class TrainFailure extends Error {
  override readonly name = 'TrainFailure';
}
