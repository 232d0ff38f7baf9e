// Operands four elements at a time.
import { call, component, type Expr, int, lit, vec4, where } from '../compiler/ir/expr.ts';
import { add, min, mul } from '../compiler/ir/index-math.ts';
import type { Block } from './template.ts';

/** Four neighbours along the last axis of operand `k`; past its end they are 0. */
export const quadOf = (block: Block, k: number, lead: readonly Expr[], quad: Expr, size: number): Expr => {
  const first = mul(quad, int(4));
  if (size % 4 === 0) return block.loadVector(k, [...lead, first], lead.length, 4);
  return vec4(
    [0, 1, 2, 3].map((j) => {
      const at = add(first, int(j));
      const inside = block.load(k, [...lead, min(at, int(size - 1))]);
      return where(call('lt', at, int(size)), inside, lit(0, 'f32'));
    }),
  );
};

/** The sum of a vector's four lanes, (x + y) + (z + w). */
export const sumOfLanes = (v: Expr): Expr => {
  const [x, y, z, w] = [0, 1, 2, 3].map((k) => component(v, k)) as [Expr, Expr, Expr, Expr];
  return call('add', call('add', x, y), call('add', z, w));
};
