// What a person can cause to go wrong in an evaluation, and what is said of it.

/** An evaluation that cannot go on, in a sentence for the person who started it: data that do not fit, a score that is no number. */
export class EvalFailure extends Error {
  override readonly name = 'EvalFailure';
  /** What its pictures are without, and a file can bring. */
  readonly missing: 'captions' | 'labels' | null;
  constructor(message: string, missing: EvalFailure['missing'] = null) {
    super(message);
    this.missing = missing;
  }
}

/** Throws what a scorer has thrown: what it refuses as a failure of the evaluation. */
export const refused = (thrown: unknown): never => {
  throw thrown instanceof RangeError ? new EvalFailure(thrown.message) : thrown;
};

/** What a scorer refuses as a failure of the evaluation. */
export const scored = <A>(score: () => A): A => {
  try {
    return score();
  } catch (thrown) {
    return refused(thrown);
  }
};
