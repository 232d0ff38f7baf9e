// The residual vector quantiser: one codebook shared over depth, learned by running means, dead codes restarted. D. Lee and others,
// "Autoregressive image generation using residual quantization", 2022; updates as in the public code of DualToken.
// Written as a value: the codebook comes in and, in training, the next one goes out.
import { pipe } from 'fp-ts/lib/function.js';
import * as RA from 'fp-ts/lib/ReadonlyArray.js';
import { normalInit, zerosInit } from '../../dsl/init.ts';
import { ones, zeros, zerosLike } from '../../dsl/ops/create.ts';
import { add, clamp, div, lt, mul, square, sub, where } from '../../dsl/ops/elementwise.ts';
import { nearestCode } from '../../dsl/ops/fused.ts';
import { gather, segmentSum } from '../../dsl/ops/indexing.ts';
import { concat, stack, tile } from '../../dsl/ops/joining.ts';
import { alongAxis, broadcastLike, reshape } from '../../dsl/ops/movement.ts';
import { foldIn, type Key, permutation, splitKey, uniform } from '../../dsl/ops/random.ts';
import { mean, sum } from '../../dsl/ops/reduce.ts';
import { sliceAxis } from '../../dsl/ops/slicing.ts';
import { type Initializer, type ParamsOf, weight } from '../../dsl/param.ts';
import type { Rank1, Rank2, Rank4, Shape } from '../../dsl/shape.ts';
import { anySize, type ScalarTensor, type Tensor } from '../../dsl/tensor.ts';
import { stopGradient } from '../../dsl/transform/tensors.ts';

export interface QuantiserConfig {
  /** Codes of one position. */
  readonly depth: number;
  /** Rows of the codebook, and their width. */
  readonly codes: number;
  readonly dim: number;
  /** What running means keep of themselves in one update. */
  readonly decay: number;
  /**
   * 'depth', the default: every depth updates the table, and the next searches the new one (the public code of March 2025). 'forward':
   * all depths search one table, and their vectors update it together (that of 2026, without its fault).
   */
  readonly learning?: 'depth' | 'forward' | undefined;
  /** Sums of a batch's vectors are cut to [-sumLimit, sumLimit]; 1000 in the public code of March 2025. Default, and null: not at all. */
  readonly sumLimit?: number | null | undefined;
  /** Smooths the counts that sums are divided by. */
  readonly eps: number;
  /** Whether a code whose running count falls below 1 is replaced by a vector of the batch. */
  readonly restart: boolean;
}

/** Channels-last features [B, h, w, dim], and codes [B, h, w, depth]. */
export type Features = Tensor<Rank4>;
export type Codes = Tensor<Rank4, 'i32'>;

export interface Quantised {
  /** sum of the chosen rows, with the gradient of x: straight through. */
  readonly z: Features;
  readonly codes: Codes;
  /** mean over depth of mean((x - sg(a_d))^2), a_d the sum of the first d rows. */
  readonly commitment: ScalarTensor;
}

/** Starts as the parameter of that name beside it. */
const startsAs =
  (sibling: string, init: Initializer): Initializer =>
  (shape) =>
  (env) =>
    init(shape)({ ...env, path: env.path.replace(/[^.]+$/, sibling) });

/** The table, and the running sums and counts that it is the quotient of. None is trained by gradients. */
export const codebookSpec = ({ codes, dim }: QuantiserConfig) => ({
  codebook: weight([codes, dim], normalInit(1), ['frozen']),
  embedEma: weight([codes, dim], startsAs('codebook', normalInit(1)), ['frozen']),
  clusterSize: weight([codes], zerosInit, ['frozen']),
});
export type Codebook = ParamsOf<ReturnType<typeof codebookSpec>>;
type Table = Pick<Codebook, 'codebook'>;

/** What is left of the vectors after some depths, the sum of what was taken, and the table that the next depth searches. */
interface Walk<T extends Table> {
  /** What this depth searched the table for. */
  readonly searched: Tensor<Rank2>;
  readonly residual: Tensor<Rank2>;
  readonly taken: Tensor<Rank2>;
  readonly codes: Tensor<Rank1, 'i32'>;
  readonly table: T;
}
type Learn<T> = (table: T, vectors: Tensor<Rank2>, codes: Tensor<Rank1, 'i32'>, depth: number) => T;

/** One depth: k = argmin |r - c_k|, r -= c_k, a += c_k, all by the table as it was; then the table may learn. */
const deeper =
  <T extends Table>(learn: Learn<T>) =>
  (depth: number, { residual, taken, table }: Walk<T>): Walk<T> => {
    const codes = nearestCode(residual, table.codebook);
    const rows = gather(table.codebook, codes);
    return {
      searched: residual,
      residual: sub(residual, rows),
      taken: add(taken, rows),
      codes,
      table: learn(table, residual, codes, depth),
    };
  };

const walk =
  <T extends Table>({ depth, dim }: QuantiserConfig, table: T, learn: Learn<T>) =>
  (x: Features): Quantised & { readonly next: T; readonly steps: readonly Walk<T>[] } => {
    const rows = pipe(x, stopGradient, reshape([-1, dim]));
    const step = deeper(learn);
    const start = {
      searched: rows,
      residual: rows,
      taken: zerosLike(rows),
      codes: zeros([rows.shape[0]], 'i32'),
      table,
    };
    const walked = RA.scanLeft(start, (w: Walk<T>, d: number) => step(d, w))(RA.makeBy(depth, (d) => d)).slice(1);
    const last = walked.at(-1)!;
    const [batch, height, width] = x.shape;
    const sums = walked.map(({ taken }) => reshape(taken, x.shape));
    const distances = sums.map((a) => mean(square(sub(x, a))));
    return {
      z: add(x, stopGradient(sub(reshape(last.taken, x.shape), x))),
      codes: reshape(
        stack(
          walked.map(({ codes }) => codes),
          -1,
        ),
        [batch, height, width, depth],
      ),
      commitment: mul(
        distances.reduce((a, b) => add(a, b)),
        1 / depth,
      ),
      next: last.table,
      steps: walked,
    };
  };

/** x [B, h, w, dim] by a codebook [codes, dim] that stays as it is. Ties go to the lowest code. */
export const quantise =
  (config: QuantiserConfig, codebook: Tensor<Rank2>) =>
  (x: Features): Quantised => {
    const { z, codes, commitment } = walk(config, { codebook }, (table) => table)(x);
    return { z, codes, commitment };
  };

/** Vectors of the batch in random order, as many as there are codes; too few are repeated with a little noise. */
const strangers = ({ codes, dim }: QuantiserConfig, vectors: Tensor<Rank2>, key: Key): Tensor<Rank2> => {
  const [order, noise] = splitKey(key, 2);
  const count = vectors.shape[0];
  const times = Math.ceil(codes / count);
  const jitter = () => mul(uniform(noise, [count * times, dim]), 0.01 / Math.sqrt(dim));
  const enough = times === 1 ? vectors : add(tile(vectors, times, 0), jitter());
  return gather(enough, sliceAxis(permutation(order, count * times), 0, 0, codes));
};

/** One update of the running means by vectors and their codes, and the table that follows from them. */
const update = (
  config: QuantiserConfig,
  { embedEma, clusterSize }: Codebook,
  vectors: Tensor<Rank2>,
  codes: Tensor<Rank1, 'i32'>,
  key: Key,
  microBatches: number,
): Codebook => {
  const { eps, sumLimit = null } = config;
  // k small updates weigh nearly as one large one would: each keeps the k-th root, and counts for k.
  const decay = config.decay ** (1 / microBatches);
  const keep = <S extends Shape>(mean: Tensor<S>, now: Tensor<S>) =>
    add(mul(mean, decay), mul(now, microBatches * (1 - decay)));
  const batchSums = segmentSum(vectors, codes, config.codes);
  const counts = keep(clusterSize, segmentSum(ones([vectors.shape[0]]), codes, config.codes));
  const sums = keep(embedEma, sumLimit === null ? batchSums : clamp(-sumLimit, sumLimit)(batchSums));
  // A new code is dead when a whole step does not hit it: in one update that is 1, of k the root of all but one, with room for rounding.
  const least = microBatches === 1 ? 1 : config.decay ** ((microBatches - 0.5) / microBatches);
  const dead = lt(counts, least);
  const revived = config.restart ? where(dead, 1, counts) : counts;
  const moved = config.restart ? where(alongAxis(dead, 0, sums), strangers(config, vectors, key), sums) : sums;
  const total = sum(revived);
  const smooth = pipe(revived, add(eps), mul(broadcastLike(div(total, add(total, config.codes * eps)), revived)));
  return { codebook: div(moved, alongAxis(smooth, 0, moved)), embedEma: moved, clusterSize: revived };
};

/**
 * As `quantise`, with the codebook learning. `key`, u32 [2], chooses the vectors that replace dead codes; `microBatches` forwards make
 * one step of the optimiser. Throws DslError where shapes do not fit.
 */
export const quantiseTraining =
  (config: QuantiserConfig, state: Codebook, key: Key, microBatches = 1) =>
  (x: Features): Quantised & { readonly next: Codebook } => {
    const start = stopGradient(state);
    if (config.learning !== 'forward') {
      const { steps, ...made } = walk(config, start, (table, vectors, codes, depth) =>
        update(config, table, vectors, codes, foldIn(key, depth), microBatches),
      )(x);
      return made;
    }
    const { steps, ...made } = walk(config, start, (table) => table)(x);
    const [vectors, codes] = [
      concat(
        steps.map((s) => s.searched),
        0,
      ),
      concat(
        steps.map((s) => s.codes),
        0,
      ),
    ];
    return { ...made, next: update(config, start, anySize(vectors), anySize(codes), key, microBatches) };
  };

/** The sum over depth of the rows that `codes` [B, h, w, depth] name: what `quantise` gave as z. */
export const embedCodes =
  (codebook: Tensor<Rank2>) =>
  (codes: Codes): Features =>
    sum(gather(codebook, codes), 3);
