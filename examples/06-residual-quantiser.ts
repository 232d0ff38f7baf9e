// A residual quantiser from scratch: each depth encodes what the ones before it left, and gradients go straight through.
import {
  add,
  embedding,
  evaluate,
  foldIn,
  grad,
  key,
  mean,
  mul,
  nearestCode,
  normal,
  square,
  stopGradient,
  sub,
  sum,
  type Tensor,
  zeros,
} from 'dualtoken';

const [points, width, codes, depth] = [256, 8, 64, 4];
type Features = Tensor<readonly [number, number]>;
type Codes = Tensor<readonly [number], 'i32'>;

const random = (name: string, rows: number, scale: number): Features =>
  mul(normal(foldIn(key(1), name), [rows, width]), scale);
const x = random('x', points, 1);
// One codebook for all depths. A trained one has entries of every size; this one starts with such.
const codebook = mul(random('codebook', codes, 1), random('sizes', codes, 0.8));

interface Step {
  /** a_d = a_(d-1) + the nearest entry to what is left. */
  readonly approximation: Features;
  readonly code: Codes;
}
const quantise = (target: Features, soFar: Features = zeros([points, width]), left = depth): readonly Step[] => {
  if (left === 0) return [];
  const code: Codes = nearestCode(sub(target, soFar), codebook);
  const approximation: Features = add(soFar, embedding(codebook, code));
  return [{ approximation, code }, ...quantise(target, approximation, left - 1)];
};

const steps = quantise(x);
const { errors, first } = await evaluate({
  errors: steps.map((s) => mean(square(sub(x, s.approximation)))),
  first: steps[0]!.code,
});
console.log('codes of the first depth:', first.data.slice(0, 10));
for (const [d, e] of errors.entries()) console.log(`depth ${d + 1}: mean squared error ${e.data[0]!.toFixed(4)}`);

// z = x + sg(a_D - x): forward the quantised value, backward the identity.
const straightThrough = (f: Features): Features => add(f, stopGradient(sub(quantise(f).at(-1)!.approximation, f)));
const slope = await evaluate(grad((f: Features): Tensor<readonly []> => sum(mul(straightThrough(f), 3)))(x));
console.log('every gradient is 3:', new Set(slope.data));
