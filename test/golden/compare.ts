// Holds computed outputs against those of a case: |a - b| <= atol + rtol |b| for floats, equality for integers.
import type { TensorData } from '../../src/data/safetensors/index.ts';

export interface Computed {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

export interface Verdict {
  readonly passed: boolean;
  /** Largest |a - b| / (atol + rtol |b|) over all outputs: at most 1 where it passed. */
  readonly worst: number;
  /** The output with the worst error, or why there is none. */
  readonly where: string;
}

const failure = (where: string): Verdict => ({ passed: false, worst: Number.POSITIVE_INFINITY, where });

const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

const ofOutput = (name: string, want: TensorData, got: Computed | undefined, atol: number, rtol: number): Verdict => {
  if (got === undefined) return failure(`${name} was not computed`);
  // A scalar is stored with shape [1].
  if (count(got.shape) !== count(want.shape) || (want.shape.length > 1 && `${got.shape}` !== `${want.shape}`))
    return failure(`${name} is [${got.shape}], it should be [${want.shape}]`);
  const exact = want.dtype !== 'F32';
  let [worst, at] = [0, 0];
  for (let i = 0; i < want.data.length; i++) {
    const [a, b] = [Number(got.data[i]), Number(want.data[i])];
    const error = exact ? (a === b ? 0 : Number.POSITIVE_INFINITY) : Math.abs(a - b) / (atol + rtol * Math.abs(b));
    // A value that is not a number compares as neither.
    if (!(error <= worst)) [worst, at] = [Number.isNaN(error) ? Number.POSITIVE_INFINITY : error, i];
  }
  return { passed: worst <= 1, worst, where: `${name}[${at}]: ${got.data[at]} for ${want.data[at]}` };
};

/** The worst of all outputs; a missing one fails. */
export const compare = (
  wanted: ReadonlyMap<string, TensorData>,
  got: ReadonlyMap<string, Computed>,
  atol: number,
  rtol: number,
): Verdict => {
  const verdicts = [...wanted].map(([name, want]) => ofOutput(name, want, got.get(name), atol, rtol));
  if (verdicts.length === 0) return failure('the case has no outputs');
  return verdicts.reduce((a, b) => (b.worst > a.worst ? b : a));
};
