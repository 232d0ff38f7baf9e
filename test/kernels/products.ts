// Matrix products for the tests of contractions: sizes, memory orders, dtypes, and what every schedule of a template must keep.
import * as assert from 'uvu/assert';
import type { Caps } from '../../src/compiler/ir/caps.ts';
import { lit, zero4 } from '../../src/compiler/ir/expr.ts';
import * as b from '../../src/dsl/core/build.ts';
import type { DType } from '../../src/dsl/core/dtype.ts';
import { isKind, sizeOf, topological } from '../../src/dsl/core/node.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import type { Block, KernelTemplate, Schedule } from '../../src/kernels/template.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { runGraph } from '../../src/runtime/evaluate.ts';
import { encode } from '../support/agree.ts';
import { bitsOf } from '../support/compiled.ts';
import { values } from '../support/draw.ts';
import { agreed, type Bound, forcing, referenceOf } from './agree.ts';
import { disguised } from './device.ts';

export const orders = ['mk,kn', 'mk,nk', 'km,kn', 'km,nk'] as const;

/** a [M, K] and b [K, N], each as it is or stored the other way round; b as `weights`, widened where it is read. */
export const product = (m: number, k: number, n: number, order: string, weights: DType = 'f32'): Node => {
  const [sa, sb] = order.split(',') as [string, string];
  const size = (l: string): number => (l === 'm' ? m : l === 'k' ? k : n);
  const operand = (name: string, letters: string, dtype: DType): Node => {
    const x = b.input(name, [...letters].map(size), dtype);
    return dtype === 'f32' ? x : b.cast(x, 'f32');
  };
  return b.contract({ a: sa, b: sb, out: 'mn' }, operand('a', sa, 'f32'), operand('b', sb, weights));
};

/** Graphics cards, with the device's own subgroups and with some of no fixed size. */
export const asCard = (backend: Backend): Backend => disguised(backend, { software: false });
export const asOddCard = (backend: Backend): Backend => disguised(backend, { software: false, subgroups: null });

/** The bits of a product under one schedule of a template. */
export const bitsUnder = async (
  backend: Backend,
  root: Node,
  template: string,
  schedule: Schedule,
): Promise<string> => {
  const data = Object.fromEntries(
    topological([root]).flatMap((n, i) =>
      isKind(n, 'input') ? [[n.op.slot, encode(values(sizeOf(n.shape), i + 7), n.dtype)]] : [],
    ),
  );
  const results = await runGraph(backend, [root], data, { tuning: forcing({ [template]: schedule }) });
  return bitsOf(results);
};

interface Schedulings {
  readonly bound?: Bound;
  readonly schedules?: readonly Schedule[];
}

/** Every schedule gives the interpreter's values of `roots`, and those of one order equal bits; by default all that `template` offers. */
export const everySchedule = async (
  backend: Backend,
  roots: readonly Node[],
  template: KernelTemplate,
  { bound = {}, schedules = template.space(roots[0]!, backend.caps) }: Schedulings = {},
): Promise<void> => {
  const byOrder = new Map<string, { readonly bits: string; readonly text: string }>();
  const reference = referenceOf(roots, bound);
  for (const schedule of schedules) {
    const forced = { [template.name]: schedule };
    const bits = bitsOf(await agreed(backend, roots, { template: template.name, schedules: forced, reference }));
    const text = JSON.stringify(schedule);
    const known = byOrder.get(template.order(schedule)) ?? { bits, text };
    assert.is(known.bits, bits, `${text} and ${known.text} say that they add up alike`);
    byOrder.set(template.order(schedule), known);
  }
};

const block: Block = { load: () => lit(0, 'f32'), loadVector: () => zero4, store: () => [] };

/** Every schedule that a template offers for a call, and the one that it would choose, is within what the device allows. */
export const withinLimits = (call: Node, template: KernelTemplate, caps: Caps): void => {
  if (template.refuses(call, caps) !== null) return;
  for (const schedule of [...template.space(call, caps), template.heuristic(call, caps)]) {
    const emitted = template.emit(call, schedule, block, caps);
    const bytes = (emitted.arrays ?? []).reduce((n, a) => n + 4 * a.type.width * a.length, 0);
    const where = `${template.name} ${JSON.stringify(schedule)} for [${call.shape}]`;
    assert.ok(emitted.workgroupSize <= caps.limits.invocations, `${where}: ${emitted.workgroupSize} invocations`);
    assert.ok(bytes <= caps.limits.workgroupBytes, `${where}: ${bytes} bytes of workgroup memory`);
    assert.ok(emitted.groups >= 1, `${where}: no workgroups`);
  }
};
