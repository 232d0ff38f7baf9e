// Scatters of few updates. Into a large base they work in place, one invocation an element of an update, duplicates resolved by looking
// at the other indices; otherwise every element of the result looks through all indices. Sums are in the order of the updates.

import { counter, loop } from '../compiler/ir/build.ts';
import type { Caps } from '../compiler/ir/caps.ts';
import { computeType } from '../compiler/ir/cast.ts';
import { and, bool, call, type Expr, i32, lit, ref, scalarType, type Type, variable } from '../compiler/ir/expr.ts';
import { delinearise, within } from '../compiler/ir/index-math.ts';
import type { Stmt } from '../compiler/ir/stmt.ts';
import { isKind, sizeOf } from '../dsl/core/node.ts';
import type { Node } from '../dsl/core/types.ts';
import { items } from './items.ts';
import type { Block, Emitted, KernelTemplate } from './template.ts';

/** Updates a batch beyond which sorting them is cheaper than comparing each with each. */
export const MOST_COMPARED = 64;

interface Scatter {
  readonly set: boolean;
  readonly lead: readonly number[];
  readonly rows: number;
  readonly rest: readonly number[];
  /** Axes of the index behind the batch, and how many updates they make. */
  readonly places: readonly number[];
  readonly count: number;
  readonly type: Type;
}
const asScatter = (n: Node): Scatter | null => {
  if (!isKind(n, 'scatter') || n.dtype === 'bf16') return null;
  const { batch, combine } = n.op;
  const [base, index] = n.src as readonly [Node, Node, Node];
  const places = index.shape.slice(batch);
  return {
    set: combine === 'set',
    lead: base.shape.slice(0, batch),
    rows: base.shape[batch]!,
    rest: base.shape.slice(batch + 1),
    places,
    count: sizeOf(places),
    type: scalarType(computeType(n.dtype)),
  };
};

const isConstant = (n: Node): boolean => (n.op.kind === 'view' ? isConstant(n.src[0]!) : n.op.kind === 'const');

/** Rows of the base that an update row must outnumber before the base is left where it is. */
const SPARSE = 4;

const refusal = (n: Node, caps: Caps): string | null => {
  const s = asScatter(n);
  if (!s) return 'no scatter of values that kernels store';
  if (n.dtype === 'f16' && !caps.f16) return 'half precision needs packing';
  return s.count > MOST_COMPARED ? 'many updates are sorted first' : null;
};
/** Comparisons of result elements with updates beyond which sorting is cheaper, though it takes several kernels. */
const MOST_COMPARISONS = 1 << 20;

/** Statements for each update j in order, with its index as `name`. */
const eachUpdate = (
  s: Scatter,
  block: Block,
  lead: readonly Expr[],
  name: string,
  body: (j: Expr, at: readonly Expr[], row: Expr) => readonly Stmt[],
): Stmt => {
  const j = counter(name, s.count - 1);
  const at = delinearise(j, s.places);
  const row = ref(`${name}_row`, i32);
  return loop(j, s.count, [
    { s: 'let', name: `${name}_row`, value: block.load(1, [...lead, ...at]) },
    ...body(j, at, row),
  ]);
};

const inPlace = (n: Node, block: Block): Emitted => {
  const s = asScatter(n)!;
  const shape = [...s.lead, s.count, ...s.rest];
  return items(sizeOf(shape), (item) => {
    const at = delinearise(item, shape);
    const lead = at.slice(0, s.lead.length);
    const mine = at[s.lead.length]!;
    const rest = at.slice(s.lead.length + 1);
    const row = ref('row', i32, 0, s.rows - 1);
    const raw = ref('row', i32);
    const own = (places: readonly Expr[]): Expr => block.load(2, [...lead, ...places, ...rest]);
    const rival = variable('rival', bool);
    const value = variable('value', s.type);
    // Of several updates of a row the last one sets it; the first one adds them all.
    const look = eachUpdate(s, block, lead, 'j', (j, places, other) => {
      const same = call('eq', other, raw);
      const rank = s.set ? call('lt', mine, j) : call('lt', j, mine);
      const claim: Stmt = { s: 'assign', name: 'rival', value: call('or', rival, and(same, rank)) };
      if (s.set) return [claim];
      const sum = call('add', value, own(places));
      return [claim, { s: 'if', cond: same, then: [{ s: 'assign', name: 'value', value: sum }] }];
    });
    const inside: readonly Stmt[] = [
      { s: 'var', name: 'rival', type: bool, value: lit(0, 'bool') },
      {
        s: 'var',
        name: 'value',
        type: s.type,
        value: s.set ? own(delinearise(mine, s.places)) : block.load(0, [...lead, row, ...rest]),
      },
      look,
      { s: 'if', cond: call('not', rival), then: block.store(0, [...lead, row, ...rest], value) },
    ];
    return [
      { s: 'let', name: 'row', value: block.load(1, [...lead, ...delinearise(mine, s.places)]) },
      { s: 'if', cond: within(raw, 0, s.rows), then: inside },
    ];
  });
};

const everywhere = (n: Node, block: Block): Emitted => {
  const s = asScatter(n)!;
  return items(sizeOf(n.shape), (item) => {
    const at = delinearise(item, n.shape);
    const lead = at.slice(0, s.lead.length);
    const rest = at.slice(s.lead.length + 1);
    const value = variable('value', s.type);
    const look = eachUpdate(s, block, lead, 'j', (_, places, row) => {
      const update = block.load(2, [...lead, ...places, ...rest]);
      const hit = call('eq', row, at[s.lead.length]!);
      return [
        {
          s: 'if',
          cond: hit,
          then: [{ s: 'assign', name: 'value', value: s.set ? update : call('add', value, update) }],
        },
      ];
    });
    return [{ s: 'var', name: 'value', type: s.type, value: block.load(0, at) }, look, ...block.store(0, at, value)];
  });
};

const work = (n: Node): { readonly flops: number; readonly bytes: number } => {
  const s = asScatter(n)!;
  const size = sizeOf(n.src[2]!.shape);
  return { flops: size * s.count, bytes: 8 * size };
};

/** Few updates of a large base: its buffer becomes the result's. */
export const scatterInPlace: KernelTemplate = {
  name: 'scatter-in-place',
  version: 1,
  refuses: (n, caps) => {
    const no = refusal(n, caps);
    if (no !== null) return no;
    const s = asScatter(n)!;
    return isConstant(n.src[0]!) || s.rows < SPARSE * s.count ? 'the whole result is written anyway' : null;
  },
  space: () => [{ item: 'update element' }],
  heuristic: () => ({ item: 'update element' }),
  emit: (n, _, block) => inPlace(n, block),
  work,
  reuse: (n, k) => (k === 1 ? asScatter(n)!.count * sizeOf(asScatter(n)!.rest) : 1),
  order: () => 'ascending',
  epilogue: false,
  updates: 0,
};

/** Few updates: every element of the result looks through them. */
export const scatterEverywhere: KernelTemplate = {
  name: 'scatter',
  version: 1,
  refuses: (n, caps) => {
    const s = asScatter(n);
    if (s && s.count > 4 && sizeOf(n.shape) * s.count > MOST_COMPARISONS) return 'sorting compares less';
    return refusal(n, caps);
  },
  space: () => [{ item: 'element' }],
  heuristic: () => ({ item: 'element' }),
  emit: (n, _, block) => everywhere(n, block),
  work,
  reuse: (n, k) => (k === 0 ? 1 : asScatter(n)!.rows),
  order: () => 'ascending',
  epilogue: true,
};
