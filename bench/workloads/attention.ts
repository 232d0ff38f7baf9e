// Scaled dot-product attention: q, k and v [1, heads, tokens, width].
import { attention as reference } from '../reference/attention.ts';
import { type Matrix, matrix } from '../reference/matrix.ts';
import { type HostArray, uniform } from './values.ts';
import { type Check, F32_BYTES, F32_TOLERANCE, relativeError, type Work } from './work.ts';

export interface Attention extends Work<'attention'> {
  readonly heads: number;
  readonly tokens: number;
  /** Of one head. */
  readonly width: number;
}

export const attention = (heads: number, tokens: number, width: number): Attention => ({
  kind: 'attention',
  name: `attention ${heads} heads x ${tokens} x ${width}`,
  flops: 4 * heads * tokens * tokens * width,
  bytes: 4 * F32_BYTES * heads * tokens * width,
  limit: 'arithmetic',
  heads,
  tokens,
  width,
});

export const attentionInputs = ({ heads, tokens, width }: Attention) => {
  const shape = [1, heads, tokens, width];
  // Scores that differ by a few units, so that the softmax matters.
  return { q: uniform('q', shape, 3), k: uniform('k', shape, 1), v: uniform('v', shape) } satisfies Readonly<
    Record<string, HostArray>
  >;
};

export const attentionCheck = (w: Attention): Check => {
  const { q, k, v } = attentionInputs(w);
  const each = w.tokens * w.width;
  const expected = new Float64Array(w.heads * each);
  for (let h = 0; h < w.heads; h++) {
    const head = (x: HostArray): Matrix =>
      matrix(w.tokens, w.width, Float64Array.from(x.data.subarray(h * each, (h + 1) * each)));
    expected.set(reference({ q: head(q), k: head(k), v: head(v) }).y.data, h * each);
  }
  return { tolerance: F32_TOLERANCE, error: relativeError(expected) };
};
