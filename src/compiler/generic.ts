// Schedules of generic kernels: one invocation an element; reductions one invocation an output, or one workgroup where outputs are few.

import { highest, lowest } from '../dsl/core/dtype.ts';
import { sizeOf } from '../dsl/core/node.ts';
import type { ReduceFn } from '../dsl/core/op.ts';
import type { Node } from '../dsl/core/types.ts';
import type { Emitted } from '../kernels/template.ts';
import type { Caps } from './ir/caps.ts';
import { call, type Expr, type ExprOf, element, int, lit, ref, scalarType, type Type, variable } from './ir/expr.ts';
import { add, delinearise, mul } from './ir/index-math.ts';
import { builtins, type Stmt, type WorkgroupArray } from './ir/stmt.ts';
import { type Coords, computeType } from './lower.ts';

export const group = (groups: number): Expr => ref(builtins.group, scalarType('i32'), 0, Math.max(0, groups - 1));
export const local = (size: number): Expr => ref(builtins.local, scalarType('i32'), 0, size - 1);

const workgroupFor = (n: number, caps: Caps): number => (n >= 1 << 16 && caps.limits.invocations >= 256 ? 256 : 64);

/** Elements of an invocation: software adapters pay more for an invocation than for a short loop. */
const shareFor = (n: number, caps: Caps): number => (caps.target === 'wgsl' && caps.software && n >= 1 << 15 ? 4 : 1);

/** An invocation for each of `n` elements, or for a few of them; `body` gets an element's linear index. */
export const elementwise = (n: number, caps: Caps, body: (i: Expr) => readonly Stmt[]): Emitted => {
  const i32 = scalarType('i32');
  const size = workgroupFor(n, caps);
  const share = shareFor(n, caps);
  const groups = Math.ceil(n / (size * share));
  const turn = ref('turn', i32, 0, share - 1) as ExprOf<'ref'>;
  const first = add(mul(group(groups), int(size * share)), local(size));
  const raw = share === 1 ? first : add(first, mul(turn, int(size)));
  const whole = n % (size * share) === 0;
  const then = body(ref('i', i32, 0, n - 1));
  const one: readonly Stmt[] = [
    { s: 'let', name: 'i', value: raw },
    ...(whole ? then : [{ s: 'if' as const, cond: call('lt', ref('i', i32), int(n)), then }]),
  ];
  const all: readonly Stmt[] =
    share === 1 ? one : [{ s: 'for', counter: turn, from: int(0), to: int(share), step: 1, body: one }];
  return { workgroupSize: size, groups, body: all };
};

interface Fold {
  readonly type: Type;
  readonly start: number;
  /** The accumulator after taking in a value. */
  readonly step: (acc: Expr, v: Expr) => Expr;
}
const foldOf = (by: ReduceFn, n: Node): Fold => {
  const scalar = computeType(n.dtype);
  const type = scalarType(scalar);
  switch (by) {
    case 'sum':
      return { type, start: 0, step: (a, v) => call('add', a, v) };
    case 'prod':
      return { type, start: 1, step: (a, v) => call('mul', a, v) };
    case 'max':
    case 'argmax':
      return { type, start: lowest[scalar], step: (a, v) => call('max', a, v) };
    case 'min':
    case 'argmin':
      return { type, start: highest[scalar], step: (a, v) => call('min', a, v) };
  }
};

export interface Reduction {
  readonly node: Node;
  readonly by: ReduceFn;
  readonly axes: readonly number[];
  /** The reduced value at coordinates of the source. */
  readonly source: (at: Coords) => Expr;
  /** Passes the result at coordinates of the node on to the outputs. */
  readonly store: (at: Coords, value: Expr) => readonly Stmt[];
}

/** Coordinates of the source from those of the result and a linear index over the reduced axes. */
const sourceAt = (r: Reduction, out: Coords, inner: Expr): Coords => {
  const shape = r.node.src[0]!.shape;
  const reduced = delinearise(
    inner,
    r.axes.map((a) => shape[a]!),
  );
  let kept = 0;
  return shape.map((_, i) => (r.axes.includes(i) ? reduced[r.axes.indexOf(i)]! : out[kept++]!));
};

const isArg = (by: ReduceFn): boolean => by === 'argmax' || by === 'argmin';

/** acc := acc with v; for argmax and argmin also the index, of the first of equals. */
const take = (r: Reduction, acc: string, type: Type, v: Expr, index: Expr): readonly Stmt[] => {
  const a = variable(acc, type);
  if (!isArg(r.by)) return [{ s: 'assign', name: acc, value: foldOf(r.by, r.node.src[0]!).step(a, v) }];
  const better = r.by === 'argmax' ? call('lt', a, v) : call('lt', v, a);
  const at = variable(`${acc}_at`, scalarType('i32'));
  return [
    { s: 'assign', name: `${acc}_at`, value: call('where', better, index, at) },
    { s: 'assign', name: acc, value: call('where', better, v, a) },
  ];
};

const declare = (r: Reduction, acc: string, fold: Fold): readonly Stmt[] => [
  { s: 'var', name: acc, type: fold.type, value: lit(fold.start, fold.type.scalar) },
  ...(isArg(r.by) ? [{ s: 'var' as const, name: `${acc}_at`, type: scalarType('i32'), value: int(0) }] : []),
];

/** for inner in [from, from + count * step): unrolled by four, in order. */
const accumulate = (
  r: Reduction,
  fold: Fold,
  count: number,
  innerOf: (j: Expr) => Expr,
  out: Coords,
): readonly Stmt[] => {
  const one = (j: Expr): readonly Stmt[] => {
    const inner = innerOf(j);
    return take(r, 'acc', fold.type, r.source(sourceAt(r, out, inner)), inner);
  };
  const whole = count - (count % 4);
  const counter = ref('j', scalarType('i32'), 0, Math.max(0, whole - 4)) as Expr & { e: 'ref' };
  const four = [0, 1, 2, 3].flatMap((k) => one(add(counter, int(k))));
  const rest = Array.from({ length: count % 4 }, (_, k) => one(int(whole + k))).flat();
  return [
    ...(whole > 0 ? [{ s: 'for' as const, counter, from: int(0), to: int(whole), step: 4, body: four }] : []),
    ...rest,
  ];
};

/** Each output summed by one invocation, in order. */
const serial = (r: Reduction, caps: Caps): Emitted => {
  const fold = foldOf(r.by, r.node.src[0]!);
  const n = sizeOf(r.node.shape);
  const count = r.axes.reduce((p, a) => p * r.node.src[0]!.shape[a]!, 1);
  return elementwise(n, caps, (i) => {
    const out = delinearise(i, r.node.shape);
    const result = isArg(r.by) ? variable('acc_at', scalarType('i32')) : variable('acc', fold.type);
    return [...declare(r, 'acc', fold), ...accumulate(r, fold, count, (j) => j, out), ...r.store(out, result)];
  });
};

/** Each output by one workgroup: strided partial results, then a tree in workgroup memory. */
const grouped = (r: Reduction, width: number): Emitted => {
  const fold = foldOf(r.by, r.node.src[0]!);
  const n = sizeOf(r.node.shape);
  const count = r.axes.reduce((p, a) => p * r.node.src[0]!.shape[a]!, 1);
  const out = delinearise(group(n), r.node.shape);
  const me = local(width);
  const arrays: WorkgroupArray[] = [{ name: 'part', type: fold.type, length: width }];
  if (isArg(r.by)) arrays.push({ name: 'part_at', type: scalarType('i32'), length: width });
  const part = (at: Expr): Expr => element('part', at, fold.type);
  const partAt = (at: Expr): Expr => element('part_at', at, scalarType('i32'));
  const whole = Math.floor(count / width);
  const rest = count - whole * width;
  const body: Stmt[] = [
    ...declare(r, 'acc', fold),
    ...accumulate(r, fold, whole, (j) => add(mul(j, int(width)), me), out),
  ];
  if (rest > 0) {
    const inner = add(int(whole * width), me);
    body.push({
      s: 'if',
      cond: call('lt', me, int(rest)),
      then: take(r, 'acc', fold.type, r.source(sourceAt(r, out, inner)), inner),
    });
  }
  const put = (at: Expr): Stmt[] => [
    { s: 'setElement', array: 'part', index: at, value: variable('acc', fold.type) },
    ...(isArg(r.by)
      ? [{ s: 'setElement' as const, array: 'part_at', index: at, value: variable('acc_at', scalarType('i32')) }]
      : []),
  ];
  body.push(...put(me), { s: 'barrier' });
  for (let half = width / 2; half >= 1; half /= 2) {
    const other = add(me, int(half));
    const merge: Stmt[] = [];
    if (isArg(r.by)) {
      const [v, a] = [part(other), variable('acc', fold.type)];
      const strict = r.by === 'argmax' ? call('lt', a, v) : call('lt', v, a);
      const better = call(
        'or',
        strict,
        call('and', call('eq', a, v), call('lt', partAt(other), variable('acc_at', scalarType('i32')))),
      );
      merge.push(
        { s: 'var', name: 'take', type: scalarType('bool'), value: better },
        {
          s: 'assign',
          name: 'acc_at',
          value: call(
            'where',
            variable('take', scalarType('bool')),
            partAt(other),
            variable('acc_at', scalarType('i32')),
          ),
        },
        { s: 'assign', name: 'acc', value: call('where', variable('take', scalarType('bool')), v, a) },
      );
    } else merge.push({ s: 'assign', name: 'acc', value: fold.step(variable('acc', fold.type), part(other)) });
    body.push({ s: 'if', cond: call('lt', me, int(half)), then: [...merge, ...put(me)] }, { s: 'barrier' });
  }
  const result = isArg(r.by) ? variable('acc_at', scalarType('i32')) : variable('acc', fold.type);
  body.push({ s: 'if', cond: call('eq', me, int(0)), then: r.store(out, result) });
  return { workgroupSize: width, groups: n, arrays, body };
};

export const reduction = (r: Reduction, caps: Caps): Emitted & { readonly schedule: string } => {
  const n = sizeOf(r.node.shape);
  const count = r.axes.reduce((p, a) => p * r.node.src[0]!.shape[a]!, 1);
  // Neighbouring outputs read neighbouring elements where the last axis is kept; software adapters need no more lanes than a few.
  const rank = r.node.src[0]!.shape.length;
  const enough = caps.software && !r.axes.includes(rank - 1) ? 128 : 2048;
  const few = caps.target === 'wgsl' && count >= 512 && n < enough;
  return few
    ? { ...grouped(r, 64), schedule: 'reduce: a workgroup of 64 an output' }
    : { ...serial(r, caps), schedule: 'reduce: an invocation an output' };
};
