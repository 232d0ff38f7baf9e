// Gradient descent in f64: the losses of the first steps.

export interface Step<P> {
  readonly loss: number;
  readonly grads: P;
}
type Trained = Readonly<Record<string, Float64Array>>;

/** Losses before each of `steps` updates p -= rate dp. */
export const losses = <P extends Trained>(
  start: P,
  stepOf: (p: P, wantGrads: boolean) => Step<Trained>,
  { rate, steps }: { readonly rate: number; readonly steps: number },
): readonly number[] => {
  const out: number[] = [];
  let p = start;
  for (let i = 0; i < steps; i++) {
    const last = i === steps - 1;
    const { loss, grads } = stepOf(p, !last);
    out.push(loss);
    if (last) break;
    const moved = Object.entries(p).map(([name, v]) => [name, v.map((x, at) => x - rate * grads[name]![at]!)]);
    // Of the same names.
    p = Object.fromEntries(moved) as P;
  }
  return out;
};
