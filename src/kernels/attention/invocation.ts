// Attention and its gradients where subgroups have no fixed size: each invocation owns a row in registers and passes over the
// others. Neighbouring invocations read the same keys (or queries) at the same time. No scores in memory.

import { counter, largest, loop, part, plus, range, times } from '../../compiler/ir/build.ts';
import { builtins } from '../../compiler/ir/builtins.ts';
import type { Caps } from '../../compiler/ir/caps.ts';
import {
  call,
  dot,
  type Expr,
  f32,
  f32x4,
  i32,
  int,
  lit,
  ref,
  splat4,
  variable,
  where,
} from '../../compiler/ir/expr.ts';
import { add, div, min, mod, mul } from '../../compiler/ir/index-math.ts';
import type { Stmt } from '../../compiler/ir/stmt.ts';
import { lowest } from '../../dsl/core/dtype.ts';
import type { Node } from '../../dsl/core/types.ts';
import { quadOf } from '../quads.ts';
import type { Block, Emitted, KernelTemplate, Schedule } from '../template.ts';
import {
  type AttentionCall,
  attentionCall,
  attentionFlops,
  attentionReuse,
  bytesOfCall,
  firstQuery,
  keyCount,
  keysSeen,
  maskAt,
  normaliserAt,
  probabilityOf,
  type RowAt,
  rowAt,
  rowsOf,
  storeNormaliser,
} from './call.ts';

const ZERO = lit(0, 'f32');
const LOWEST = lit(lowest.f32, 'f32');
const [Q, K, V, CT, NORMALISER, DELTA] = [0, 1, 2, 3, 4, 5];

/** Of a query and a value together. */
const WIDEST = 256;
/** Software adapters compile wider rows for seconds. */
const WIDEST_SOFTWARE = 32;

const quadsOf = (width: number): number => Math.ceil(width / 4);
const number = (x: number): Expr => lit(Math.fround(x), 'f32');

/** The quads of one row of operand `k`, under the names `${name}0`, `${name}1`, .. */
const quads = (name: string, block: Block, k: number, lead: readonly Expr[], width: number): readonly Stmt[] =>
  range(quadsOf(width)).map(
    (j): Stmt => ({ s: 'let', name: `${name}${j}`, value: quadOf(block, k, lead, int(j), width) }),
  );
const inner = (a: string, b: string, width: number): Expr =>
  range(quadsOf(width))
    .map((j) => dot(ref(`${a}${j}`, f32x4), ref(`${b}${j}`, f32x4)))
    .reduce(plus);
const sums = (name: string, width: number): readonly Stmt[] =>
  range(quadsOf(width)).map((j): Stmt => ({ s: 'var', name: `${name}${j}`, type: f32x4, value: splat4(ZERO) }));
/** name_j += weight * of_j, after name_j was multiplied by `fade`. */
const gather = (name: string, of: string, weight: Expr, width: number, fade?: Expr): readonly Stmt[] =>
  range(quadsOf(width)).map((j): Stmt => {
    const sum = variable(`${name}${j}`, f32x4);
    const faded = fade ? times(sum, fade) : sum;
    return { s: 'assign', name: `${name}${j}`, value: plus(faded, times(ref(`${of}${j}`, f32x4), weight)) };
  });
const storeRow = (
  name: string,
  width: number,
  value: (x: Expr) => Expr,
  store: (d: Expr, x: Expr) => readonly Stmt[],
): readonly Stmt[] =>
  range(width).flatMap((d) => store(int(d), value(part(variable(`${name}${Math.floor(d / 4)}`, f32x4), d % 4))));

interface Row {
  readonly batch: Expr;
  readonly keyHead: Expr;
  /** Which of the key head's rows. */
  readonly row: Expr;
}

/** One invocation for each of `rows` rows of every key head. */
const eachRow = (a: AttentionCall, rows: number, size: number, body: (at: Row) => readonly Stmt[]): Emitted => {
  const total = a.batch * a.keyHeads * rows;
  const groups = Math.ceil(total / size);
  const group = ref(builtins.group, i32, 0, Math.max(0, groups - 1));
  const flat = add(mul(group, int(size)), ref(builtins.local, i32, 0, size - 1));
  const i = min(flat, int(Math.max(0, total - 1)));
  const head = div(i, rows);
  const then = body({ batch: div(head, a.keyHeads), keyHead: mod(head, a.keyHeads), row: mod(i, rows) });
  const inside = call('lt', flat, int(total));
  return { workgroupSize: size, groups, body: inside.e === 'lit' ? then : [{ s: 'if', cond: inside, then }] };
};

const sized = (s: Schedule): number => Number(s.size);

const emitForward = (n: Node, schedule: Schedule, block: Block): Emitted => {
  const a = attentionCall(n, 'attention', 3)!;
  return eachRow(a, rowsOf(a), sized(schedule), ({ batch, keyHead, row }) => {
    const at = rowAt(a, keyHead, row);
    const key = counter('key', a.keys - 1);
    const end = keysSeen(a, keyCount(a, block), at.query);
    const scaled = times(inner('q', 'k', a.width), number(a.scale));
    const score = a.mask < 0 ? scaled : plus(scaled, maskAt(block, n, a, batch, at, key));
    const [m, l] = [variable('m', f32), variable('l', f32)];
    const [top, fade, weight] = [ref('top', f32), ref('fade', f32), ref('weight', f32)];
    const orBlind = (x: Expr, instead: Expr): Expr => (a.mayBeBlind ? where(call('lt', int(0), end), x, instead) : x);
    const place = [batch, at.head, at.query];
    return [
      ...quads('q', block, Q, place, a.width),
      { s: 'var', name: 'm', type: f32, value: LOWEST },
      { s: 'var', name: 'l', type: f32, value: ZERO },
      ...sums('o', a.valueWidth),
      loop(key, end, [
        ...quads('k', block, K, [batch, keyHead, key], a.width),
        ...quads('v', block, V, [batch, keyHead, key], a.valueWidth),
        { s: 'let', name: 'score', value: score },
        { s: 'let', name: 'top', value: largest(ref('score', f32), m) },
        { s: 'let', name: 'fade', value: call('exp', call('sub', m, top)) },
        { s: 'let', name: 'weight', value: call('exp', call('sub', ref('score', f32), top)) },
        { s: 'assign', name: 'm', value: top },
        { s: 'assign', name: 'l', value: plus(times(l, fade), weight) },
        ...gather('o', 'v', weight, a.valueWidth, fade),
      ]),
      { s: 'let', name: 'share', value: call('recip', l) },
      ...storeRow(
        'o',
        a.valueWidth,
        (x) => orBlind(times(x, ref('share', f32)), ZERO),
        (d, x) => block.store(0, [...place, d], x),
      ),
      ...storeNormaliser(block, 1, place, { most: orBlind(m, LOWEST), log: orBlind(call('log', l), ZERO) }),
    ];
  });
};

/** The probability `p` of a pair whose rows are at hand as q and k, and the gradient `ds` of its score. */
const pairOf = (n: Node, a: AttentionCall, block: Block, batch: Expr, at: RowAt, key: Expr): readonly Stmt[] => {
  const scaled = times(inner('q', 'k', a.width), number(a.scale));
  const score = a.mask < 0 ? scaled : plus(scaled, maskAt(block, n, a, batch, at, key));
  const change = call('sub', inner('ct', 'v', a.valueWidth), ref('delta', f32));
  return [
    { s: 'let', name: 'p', value: probabilityOf(score, { most: ref('most', f32), log: ref('logSum', f32) }) },
    { s: 'let', name: 'ds', value: times(ref('p', f32), change) },
  ];
};

const query = (a: AttentionCall, block: Block, place: readonly Expr[]): readonly Stmt[] => {
  const { most, log } = normaliserAt(block, NORMALISER, place);
  return [
    ...quads('q', block, Q, place, a.width),
    ...quads('ct', block, CT, place, a.valueWidth),
    { s: 'let', name: 'most', value: most },
    { s: 'let', name: 'logSum', value: log },
    { s: 'let', name: 'delta', value: block.load(DELTA, place) },
  ];
};
const keyAndValue = (a: AttentionCall, block: Block, place: readonly Expr[]): readonly Stmt[] => [
  ...quads('k', block, K, place, a.width),
  ...quads('v', block, V, place, a.valueWidth),
];

const emitQueries = (n: Node, schedule: Schedule, block: Block): Emitted => {
  const a = attentionCall(n, 'attentionGradQueries', 6)!;
  return eachRow(a, rowsOf(a), sized(schedule), ({ batch, keyHead, row }) => {
    const at = rowAt(a, keyHead, row);
    const place = [batch, at.head, at.query];
    const key = counter('key', a.keys - 1);
    const body = [
      ...keyAndValue(a, block, [batch, keyHead, key]),
      ...pairOf(n, a, block, batch, at, key),
      ...gather('o', 'k', ref('ds', f32), a.width),
    ];
    return [
      ...query(a, block, place),
      ...sums('o', a.width),
      loop(key, keysSeen(a, keyCount(a, block), at.query), body),
      ...storeRow(
        'o',
        a.width,
        (x) => times(x, number(a.scale)),
        (d, x) => block.store(0, [...place, d], x),
      ),
    ];
  });
};

const emitKeys = (n: Node, schedule: Schedule, block: Block): Emitted => {
  const a = attentionCall(n, 'attentionGradKeys', 6)!;
  return eachRow(a, a.keys, sized(schedule), ({ batch, keyHead, row: key }) => {
    const count = keyCount(a, block);
    const total = rowsOf(a);
    const row = counter('row', total - 1);
    const at = rowAt(a, keyHead, row);
    const first = mul(firstQuery(a, count, key), int(a.group));
    // Keys past the valid ones are seen by nobody.
    const from = a.validKeys < 0 ? first : where(call('lt', key, count), first, int(total));
    const body = [
      ...query(a, block, [batch, at.head, at.query]),
      ...pairOf(n, a, block, batch, at, key),
      ...gather('dk', 'q', ref('ds', f32), a.width),
      ...gather('dv', 'ct', ref('p', f32), a.valueWidth),
    ];
    return [
      ...keyAndValue(a, block, [batch, keyHead, key]),
      ...sums('dk', a.width),
      ...sums('dv', a.valueWidth),
      loop(row, total, body, { from }),
      ...storeRow(
        'dk',
        a.width,
        (x) => times(x, number(a.scale)),
        (d, x) => block.store(0, [batch, keyHead, key, d], x),
      ),
      ...storeRow(
        'dv',
        a.valueWidth,
        (x) => x,
        (d, x) => block.store(1, [batch, keyHead, key, d], x),
      ),
    ];
  });
};

const template = (
  name: string,
  of: (n: Node) => AttentionCall | null,
  products: number,
  emit: (n: Node, schedule: Schedule, block: Block) => Emitted,
): KernelTemplate => ({
  name,
  version: 1,
  refuses: (n, caps) => {
    const a = of(n);
    if (!a) return 'not this call of attention';
    return a.width + a.valueWidth > (caps.software ? WIDEST_SOFTWARE : WIDEST)
      ? 'the rows are too wide for registers'
      : null;
  },
  space: () => [{ size: 64 }, { size: 32 }, { size: 128 }],
  heuristic: (_, caps: Caps) => ({ size: Math.min(caps.software ? 32 : 64, caps.limits.invocations) }),
  emit,
  work: (n) => ({ flops: attentionFlops(of(n)!, products), bytes: bytesOfCall(n) }),
  reuse: (n, k) => attentionReuse(of(n)!, n, k),
  order: () => 'ascending',
  epilogue: true,
});

export const attentionInvocation: readonly KernelTemplate[] = [
  template('attention-invocation', (n) => attentionCall(n, 'attention', 3), 2, emitForward),
  template('attention-grad-queries-invocation', (n) => attentionCall(n, 'attentionGradQueries', 6), 3, emitQueries),
  template('attention-grad-keys-invocation', (n) => attentionCall(n, 'attentionGradKeys', 6), 4, emitKeys),
];
