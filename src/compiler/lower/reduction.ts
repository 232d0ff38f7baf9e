// Reductions outside templates: an invocation an output, or a workgroup where outputs are few; several over one space share a kernel.

import { extremesOf } from '../../dsl/core/dtype.ts';
import { sizeOf } from '../../dsl/core/node.ts';
import type { ReduceFn } from '../../dsl/core/op.ts';
import type { Node } from '../../dsl/core/types.ts';
import type { Emitted } from '../../kernels/template.ts';
import { loop } from '../ir/build.ts';
import type { Caps } from '../ir/caps.ts';
import {
  bool,
  call,
  component,
  type Expr,
  element,
  i32,
  int,
  lit,
  ref,
  scalarType,
  splat4,
  type Type,
  variable,
  vec4,
} from '../ir/expr.ts';
import { add, delinearise, mul } from '../ir/index-math.ts';
import type { Stmt, WorkgroupArray } from '../ir/stmt.ts';
import { elementwise, group, local } from './generic.ts';
import { type Coords, computeType } from './lower.ts';

interface Fold {
  readonly type: Type;
  readonly start: number;
  /** The accumulator after taking in a value. */
  readonly step: (acc: Expr, v: Expr) => Expr;
}
const foldOf = (by: ReduceFn, n: Node): Fold => {
  const scalar = computeType(n.dtype);
  const [least, most] = extremesOf(n.dtype);
  const type = scalarType(scalar);
  switch (by) {
    case 'sum':
      return { type, start: 0, step: (a, v) => call('add', a, v) };
    case 'prod':
      return { type, start: 1, step: (a, v) => call('mul', a, v) };
    case 'max':
    case 'argmax':
      return { type, start: least, step: (a, v) => call('max', a, v) };
    case 'min':
    case 'argmin':
      return { type, start: most, step: (a, v) => call('min', a, v) };
  }
};

export interface Reduction {
  readonly node: Node;
  readonly by: ReduceFn;
  readonly axes: readonly number[];
  /** The reduced value at coordinates of the source. */
  readonly source: (at: Coords) => Expr;
}

/** A reduction with its accumulator, one of those that share a kernel. */
interface Part {
  readonly r: Reduction;
  readonly acc: string;
  readonly fold: Fold;
}
/** Passes the result of each reduction, at a linear index, on to the outputs. */
type Store = (at: Expr, values: readonly Expr[]) => readonly Stmt[];

/** What the parts have in common: how many results, and of how many elements each. */
interface Space {
  readonly results: number;
  readonly count: number;
}

/** Coordinates of the source from linear indices of the result and of the reduced axes. */
const sourceAt = (r: Reduction, out: Expr, inner: Expr): Coords => {
  const shape = r.node.src[0]!.shape;
  const reduced = delinearise(
    inner,
    r.axes.map((a) => shape[a]!),
  );
  const kept = delinearise(out, r.node.shape);
  let at = 0;
  return shape.map((_, i) => (r.axes.includes(i) ? reduced[r.axes.indexOf(i)]! : kept[at++]!));
};

const isArg = (by: ReduceFn): boolean => by === 'argmax' || by === 'argmin';

/** acc := acc with v; for argmax and argmin also the index, of the first of equals. */
const take = ({ r, acc, fold: { type } }: Part, v: Expr, index: Expr): readonly Stmt[] => {
  const a = variable(acc, type);
  if (!isArg(r.by)) return [{ s: 'assign', name: acc, value: foldOf(r.by, r.node.src[0]!).step(a, v) }];
  const better = r.by === 'argmax' ? call('lt', a, v) : call('lt', v, a);
  const at = variable(`${acc}_at`, i32);
  return [
    { s: 'assign', name: `${acc}_at`, value: call('where', better, index, at) },
    { s: 'assign', name: acc, value: call('where', better, v, a) },
  ];
};

const declare = ({ r, acc, fold }: Part): readonly Stmt[] => [
  { s: 'var', name: acc, type: fold.type, value: lit(fold.start, fold.type.scalar) },
  ...(isArg(r.by) ? [{ s: 'var' as const, name: `${acc}_at`, type: i32, value: int(0) }] : []),
];

/** for inner of `count` turns, unrolled by four, in order: every part takes in its own element. */
const accumulate = (parts: readonly Part[], count: number, innerOf: (j: Expr) => Expr, out: Expr): readonly Stmt[] => {
  const one = (j: Expr): readonly Stmt[] => {
    const inner = innerOf(j);
    return parts.flatMap((part) => take(part, part.r.source(sourceAt(part.r, out, inner)), inner));
  };
  const whole = count - (count % 4);
  const counter = ref('j', i32, 0, Math.max(0, whole - 4));
  const four = [0, 1, 2, 3].flatMap((k) => one(add(counter, int(k))));
  const rest = Array.from({ length: count % 4 }, (_, k) => one(int(whole + k))).flat();
  return [...(whole > 0 ? [loop(counter, whole, four, { step: 4 })] : []), ...rest];
};

const resultOf = ({ r, acc, fold }: Part): Expr =>
  isArg(r.by) ? variable(`${acc}_at`, i32) : variable(acc, fold.type);

/** Each output summed by one invocation, in order. */
const serial = (parts: readonly Part[], space: Space, store: Store, caps: Caps): Emitted =>
  elementwise(space.results, caps, (out) => [
    ...parts.flatMap(declare),
    ...accumulate(parts, space.count, (j) => j, out),
    ...store(out, parts.map(resultOf)),
  ]);

const LANES = 4;
/** Quads of a turn, each with sums of its own: a sum waits for the last one, and fewer terms a sum lose less. */
const SPREAD = 4;

/** Each output by one invocation, four elements at a time: four partial results, which meet at the end. */
const alongLanes = (parts: readonly Part[], space: Space, store: Store, caps: Caps): Emitted => {
  const wide = ({ acc }: Part, s: number): string => `${acc}_lanes${s}`;
  const typeOf = (p: Part): Type => scalarType(p.fold.type.scalar, LANES);
  const lanes = (p: Part, s: number): Expr => variable(wide(p, s), typeOf(p));
  const whole = Math.floor(space.count / LANES);
  const spread = whole >= 4 * SPREAD ? SPREAD : 1;
  const even = whole - (whole % spread);
  const sums = Array.from({ length: spread }, (_, s) => s);
  return elementwise(space.results, caps, (out) => {
    const at = (part: Part, inner: Expr): Expr => part.r.source(sourceAt(part.r, out, inner));
    const quad = (part: Part, unit: Expr, s: number): Stmt => {
      const four = [0, 1, 2, 3].map((k) => at(part, add(mul(unit, int(LANES)), int(k))));
      return { s: 'assign', name: wide(part, s), value: part.fold.step(lanes(part, s), vec4(four)) };
    };
    const pass = (name: string, from: number, to: number, step: number): readonly Stmt[] => {
      if (from === to) return [];
      const counter = ref(name, i32, from, to - step);
      const body = sums.slice(0, step).flatMap((s) => parts.map((p) => quad(p, add(counter, int(s)), s)));
      return [loop(counter, to, body, { from, step })];
    };
    const rest = Array.from({ length: space.count % LANES }, (_, k) => int(LANES * whole + k));
    const met = (part: Part): Expr => {
      const { step } = part.fold;
      const all = sums.map((s) => lanes(part, s));
      const v = spread === 1 ? all[0]! : step(step(all[0]!, all[1]!), step(all[2]!, all[3]!));
      const [a, b, c, d] = [0, 1, 2, 3].map((k) => component(v, k)) as [Expr, Expr, Expr, Expr];
      return rest.reduce((sum, inner) => step(sum, at(part, inner)), step(step(a, b), step(c, d)));
    };
    return [
      ...parts.flatMap((p) => {
        const value = splat4(lit(p.fold.start, p.fold.type.scalar));
        return sums.map((s): Stmt => ({ s: 'var', name: wide(p, s), type: typeOf(p), value }));
      }),
      ...pass('j', 0, even, spread),
      ...pass('left', even, whole, 1),
      ...parts.map((p): Stmt => ({ s: 'let', name: p.acc, value: met(p) })),
      ...store(
        out,
        parts.map((p) => ref(p.acc, p.fold.type)),
      ),
    ];
  });
};

/** Vectors of an invocation's neighbouring outputs: a line of the cache. */
const VECTORS = 4;

/** Neighbouring outputs by one invocation, as vectors. */
const acrossLanes = (parts: readonly Part[], space: Space, store: Store, caps: Caps): Emitted => {
  const vectors = [VECTORS, 2, 1].find((v) => space.results % (LANES * v) === 0)!;
  const name = ({ acc }: Part, v: number): string => `${acc}_${v}`;
  const lanes = (p: Part, v: number): Expr => variable(name(p, v), scalarType(p.fold.type.scalar, LANES));
  const each = Array.from({ length: vectors }, (_, v) => v);
  return elementwise(space.results / (LANES * vectors), caps, (i) => {
    const out = (v: number, k: number): Expr => add(mul(i, int(LANES * vectors)), int(LANES * v + k));
    const counter = ref('j', i32, 0, Math.max(0, space.count - 1));
    const take = (p: Part, v: number): Stmt => {
      const four = [0, 1, 2, 3].map((k) => p.r.source(sourceAt(p.r, out(v, k), counter)));
      return { s: 'assign', name: name(p, v), value: p.fold.step(lanes(p, v), vec4(four)) };
    };
    const body = parts.flatMap((p) => each.map((v) => take(p, v)));
    return [
      ...parts.flatMap((p) =>
        each.map((v): Stmt => {
          const { type, start } = p.fold;
          return {
            s: 'var',
            name: name(p, v),
            type: scalarType(type.scalar, LANES),
            value: splat4(lit(start, type.scalar)),
          };
        }),
      ),
      loop(counter, space.count, body),
      ...each.flatMap((v) =>
        [0, 1, 2, 3].flatMap((k) =>
          store(
            out(v, k),
            parts.map((p) => component(lanes(p, v), k)),
          ),
        ),
      ),
    ];
  });
};

/** How vectors of four serve reductions on a processor; null where they do not. */
const byLanes = (
  parts: readonly Part[],
  space: Space,
  store: Store,
  caps: Caps,
): (Emitted & { readonly schedule: string }) | null => {
  const { axes, node } = parts[0]!.r;
  if (caps.target !== 'wasm' || parts.some((p) => isArg(p.r.by) || p.fold.type.scalar === 'bool')) return null;
  const from = node.src[0]!.shape;
  const last = from.findLastIndex((size) => size > 1);
  if (axes.includes(last))
    return space.count >= 2 * LANES
      ? { ...alongLanes(parts, space, store, caps), schedule: 'reduce: an invocation an output, four at a time' }
      : null;
  return (from[last] ?? 1) % LANES === 0
    ? { ...acrossLanes(parts, space, store, caps), schedule: 'reduce: an invocation some neighbouring outputs' }
    : null;
};

/** Each output by one workgroup: strided partial results, then a tree in workgroup memory. */
const grouped = (parts: readonly Part[], space: Space, store: Store, width: number): Emitted => {
  const out = group(space.results);
  const me = local(width);
  const shared = ({ acc }: Part): string => `${acc}_part`;
  const sharedAt = ({ acc }: Part): string => `${acc}_part_at`;
  const arrays = parts.flatMap((part): readonly WorkgroupArray[] => [
    { name: shared(part), type: part.fold.type, length: width },
    ...(isArg(part.r.by) ? [{ name: sharedAt(part), type: i32, length: width }] : []),
  ]);
  const whole = Math.floor(space.count / width);
  const rest = space.count - whole * width;
  const body: Stmt[] = [
    ...parts.flatMap(declare),
    ...accumulate(parts, whole, (j) => add(mul(j, int(width)), me), out),
  ];
  if (rest > 0) {
    const inner = add(int(whole * width), me);
    body.push({
      s: 'if',
      cond: call('lt', me, int(rest)),
      then: parts.flatMap((part) => take(part, part.r.source(sourceAt(part.r, out, inner)), inner)),
    });
  }
  const put = (part: Part): readonly Stmt[] => [
    { s: 'setElement', array: shared(part), index: me, value: variable(part.acc, part.fold.type) },
    ...(isArg(part.r.by)
      ? [{ s: 'setElement' as const, array: sharedAt(part), index: me, value: resultOf(part) }]
      : []),
  ];
  const merge = (part: Part, other: Expr): readonly Stmt[] => {
    const { r, acc, fold } = part;
    const [mine, theirs] = [variable(acc, fold.type), element(shared(part), other, fold.type)];
    if (!isArg(r.by)) return [{ s: 'assign', name: acc, value: fold.step(mine, theirs) }];
    const theirsAt = element(sharedAt(part), other, i32);
    const strict = r.by === 'argmax' ? call('lt', mine, theirs) : call('lt', theirs, mine);
    const better = call(
      'or',
      strict,
      call('and', call('eq', mine, theirs), call('lt', theirsAt, variable(`${acc}_at`, i32))),
    );
    const takes = variable(`${acc}_take`, bool);
    return [
      { s: 'var', name: `${acc}_take`, type: bool, value: better },
      { s: 'assign', name: `${acc}_at`, value: call('where', takes, theirsAt, resultOf(part)) },
      { s: 'assign', name: acc, value: call('where', takes, theirs, mine) },
    ];
  };
  body.push(...parts.flatMap(put), { s: 'barrier' });
  for (let half = width / 2; half >= 1; half /= 2) {
    const other = add(me, int(half));
    const then = parts.flatMap((part) => [...merge(part, other), ...put(part)]);
    body.push({ s: 'if', cond: call('lt', me, int(half)), then }, { s: 'barrier' });
  }
  body.push({ s: 'if', cond: call('eq', me, int(0)), then: store(out, parts.map(resultOf)) });
  return { workgroupSize: width, groups: space.results, arrays, body };
};

/** A kernel for reductions that agree in the sizes of kept and of reduced axes, in their order, but for axes of size 1. */
export const reductions = (
  all: readonly [Reduction, ...Reduction[]],
  store: Store,
  caps: Caps,
): Emitted & { readonly schedule: string } => {
  const { node, axes } = all[0];
  const from = node.src[0]!.shape;
  const count = axes.reduce((p, a) => p * from[a]!, 1);
  const parts = all.map((r, i): Part => ({ r, acc: `acc${i}`, fold: foldOf(r.by, r.node.src[0]!) }));
  const n = sizeOf(node.shape);
  // Neighbouring outputs read neighbouring elements where the last axis is kept; software adapters need no more lanes than a few.
  const enough = caps.software && !axes.includes(from.length - 1) ? 128 : 2048;
  const few = caps.target === 'wgsl' && count >= 512 && n < enough;
  const space: Space = { results: n, count };
  const vectors = byLanes(parts, space, store, caps);
  if (vectors) return vectors;
  return few
    ? { ...grouped(parts, space, store, 64), schedule: 'reduce: a workgroup of 64 an output' }
    : { ...serial(parts, space, store, caps), schedule: 'reduce: an invocation an output' };
};
