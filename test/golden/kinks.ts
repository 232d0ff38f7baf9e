// A network of ReLUs and max pools has a gradient that jumps where a ReLU's input is 0, or two inputs of a max are equal, up to the
// rounding of the sums before. There no order of summation is the right one: of `lpips-vgg`, PyTorch's own gradient in f64 misses its
// gradient in f32 by twice what is allowed, for two such decisions. Whether a miss is of this kind is told by inputs that differ by at
// most one unit in the last place: at one of them every element must meet the case's own tolerance, for each sample of the batch.
import type { TensorData } from '../../src/data/safetensors/index.ts';
import type { GoldenCase } from './case.ts';
import { compare, type Verdict } from './compare.ts';
import type { Evaluate, Kind } from './kind.ts';

/** The input by which a kind's gradient is taken, and the name of that gradient; the first axis of both is the batch. */
export interface Kinked {
  readonly input: string;
  readonly gradient: string;
}

/** Kinds with kinks, by the start of a case's name. */
export const kinked: Readonly<Record<string, Kinked>> = { lpips: { input: 'b', gradient: 'grad.b' } };

/** Neighbours in one evaluation, and evaluations before a sample is given up. */
const [together, rounds] = [16, 24] as const;

/** Moves each value by -1, 0 or 1 unit in the last place, by a hash of its place and `seed`. */
const nudge = (values: Float32Array<ArrayBuffer>, seed: number): void => {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) {
    const hash = Math.imul(Math.imul(i + 1, 0x9e3779b1) ^ Math.imul(seed + 1, 0x85ebca6b), 0xc2b2ae35) >>> 16;
    if (values[i] !== 0) bits[i]! += (hash % 3) - 1;
  }
};

/** The samples at `places` of a batch, one after the other. */
const samplesOf = (t: TensorData, places: readonly number[]) => {
  if (t.dtype !== 'F32') throw new Error(`${t.dtype} values are not held beside kinks`);
  const [count, ...rest] = t.shape;
  const size = t.data.length / count!;
  const data = new Float32Array(places.length * size);
  places.forEach((place, k) => {
    data.set(t.data.subarray(place * size, (place + 1) * size), k * size);
  });
  return { dtype: t.dtype, shape: [places.length, ...rest], data };
};

/** The verdict on the gradient at inputs next to the case's own: of each sample the best, of these the worst. */
export const besideKinks = async (
  c: GoldenCase,
  kind: Kind,
  { input, gradient }: Kinked,
  evaluate: Evaluate,
): Promise<Verdict> => {
  const want = c.outputs.get(gradient);
  if (want === undefined) throw new Error(`${c.name} has no out.${gradient}`);
  const best: Verdict[] = Array.from({ length: want.shape[0]! }, () => ({
    passed: false,
    worst: Number.POSITIVE_INFINITY,
    where: `${gradient} was not compared`,
  }));
  for (let round = 0; round < rounds; round++) {
    const open = best.flatMap(({ passed }, sample) => (passed ? [] : [sample]));
    if (open.length === 0) break;
    const places = Array.from({ length: Math.max(together, open.length) }, (_, k) => open[k % open.length]!);
    const inputs = new Map([...c.inputs].map(([name, t]) => [name, samplesOf(t, places)]));
    nudge(inputs.get(input)!.data, round);
    const got = (await kind({ ...c, inputs }, evaluate)).get(gradient);
    if (got === undefined) throw new Error(`${c.name}: ${gradient} was not computed`);
    const all = { dtype: 'F32', shape: got.shape, data: Float32Array.from(got.data) } as const;
    places.forEach((sample, k) => {
      const [wanted, computed] = [
        new Map([[gradient, samplesOf(want, [sample])]]),
        new Map([[gradient, samplesOf(all, [k])]]),
      ];
      const verdict = compare(wanted, computed, c.atol, c.rtol);
      if (verdict.worst < best[sample]!.worst) best[sample] = verdict;
    });
  }
  return best.reduce((a, b) => (b.worst > a.worst ? b : a));
};
