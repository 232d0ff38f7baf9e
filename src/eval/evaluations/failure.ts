// What a person can cause to go wrong in an evaluation, and what is said of it.

export class EvalFailure extends Error {
  override readonly name = 'EvalFailure';
}

/** What a scorer refuses as a failure of the evaluation. */
export const scored = <A>(score: () => A): A => {
  try {
    return score();
  } catch (thrown) {
    if (thrown instanceof RangeError) throw new EvalFailure(thrown.message);
    throw thrown;
  }
};
