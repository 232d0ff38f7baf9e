// What the kernels of the nearest code share: sizes, rows and codes as quads, and who is better.
import { call, type Expr, int } from '../../compiler/ir/expr.ts';
import { delinearise, min } from '../../compiler/ir/index-math.ts';
import { isKind, sizeOf } from '../../dsl/core/node.ts';
import type { Node } from '../../dsl/core/types.ts';
import { quadOf } from '../quads.ts';
import type { Block, KernelTemplate } from '../template.ts';

export interface NearestCall {
  /** Leading sizes of x, and their product. */
  readonly lead: readonly number[];
  readonly rows: number;
  readonly codes: number;
  readonly width: number;
}

export const nearestCall = (n: Node): NearestCall | null => {
  if (!isKind(n, 'fused') || n.op.call !== 'nearestCode') return null;
  const lead = n.src[0]!.shape.slice(0, -1);
  const [codes, width] = n.src[1]!.shape;
  return { lead, rows: sizeOf(lead), codes: codes!, width: width! };
};

export const rowQuad = (c: NearestCall, block: Block, row: Expr, quad: Expr): Expr =>
  quadOf(block, 0, delinearise(min(row, int(c.rows - 1)), c.lead), quad, c.width);
export const codeQuad = (c: NearestCall, block: Block, code: Expr, quad: Expr): Expr =>
  quadOf(block, 1, [min(code, int(c.codes - 1))], quad, c.width);

/** Whether (distance, code) comes before another: of equal distances the lower code. */
export const before = (distance: Expr, code: Expr, than: Expr, thanCode: Expr): Expr =>
  call('or', call('lt', distance, than), call('and', call('eq', distance, than), call('lt', code, thanCode)));

export const nearestParts: Pick<KernelTemplate, 'work' | 'reuse' | 'order' | 'epilogue'> = {
  work: (n) => {
    const c = nearestCall(n)!;
    return { flops: 2 * c.rows * c.codes * c.width, bytes: 4 * (c.rows * (c.width + 1) + c.codes * c.width) };
  },
  reuse: (n, k) => {
    const c = nearestCall(n)!;
    return k === 0 ? Math.max(1, Math.ceil(c.codes / 32)) : Math.max(1, Math.ceil(c.rows / 16));
  },
  order: () => 'ascending',
  epilogue: true,
};
