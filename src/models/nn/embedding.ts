// Tables of vectors looked up by id, and learned positions.
import { normalInit } from '../../dsl/init.ts';
import { type Layer, layer } from '../../dsl/layer.ts';
import { add } from '../../dsl/ops/elementwise.ts';
import { gather } from '../../dsl/ops/indexing.ts';
import { broadcastLike } from '../../dsl/ops/movement.ts';
import { sliceAxis } from '../../dsl/ops/slicing.ts';
import { type ParamSpec, weight } from '../../dsl/param.ts';
import type { Rank2 } from '../../dsl/shape.ts';
import type { Tensor } from '../../dsl/tensor.ts';
import type { Tokens } from './linear.ts';

/** Token ids [batch, length]. */
export type Ids = Tensor<Rank2, 'i32'>;

export interface EmbeddingSpec {
  readonly weight: ParamSpec<Rank2, 'f32'>;
}

/** ids [B, L] -> rows [B, L, width] of a table of `count` rows. */
export const embedding = (count: number, width: number, std = 0.02): Layer<EmbeddingSpec, Ids, Tokens> =>
  layer({ weight: weight([count, width], normalInit(std)) }, (p) => (ids) => gather(p.weight, ids));

/** Adds the first rows of a table [positions, width] to tokens [B, L, width], L of them. Throws DslError where L is more. */
export const positions =
  (table: Tensor<Rank2>) =>
  (x: Tokens): Tokens =>
    add(x, broadcastLike(sliceAxis(table, 0, 0, x.shape[1]), x));
