// Which elements of its buffers a kernel can reach when only some of its workgroups run: intervals of its index arithmetic.

import { builtins } from './builtins.ts';
import type { Expr } from './expr.ts';
import type { KernelCode, Stmt } from './stmt.ts';
import { blocksOf, expressionsOf, visitExprs, visitStmts } from './walk.ts';

/** First and last, inclusive. */
export type Range = readonly [lo: number, hi: number];

const corners = (a: Range, b: Range, f: (x: number, y: number) => number): Range => {
  const all = a.flatMap((x) => b.map((y) => f(x, y)));
  return [Math.min(...all), Math.max(...all)];
};

const meet = (a: Range, b: Range): Range => [Math.max(a[0], b[0]), Math.min(a[1], b[1])];
const hull = (a: Range, b: Range): Range => [Math.min(a[0], b[0]), Math.max(a[1], b[1])];

/** Bounds of integers for workgroups in `groups`: narrower than those of the expressions, which hold for all of them. */
class Ranges {
  readonly #names: Map<string, Range>;
  readonly #memo = new Map<Expr, Range>();
  constructor(groups: Range) {
    this.#names = new Map([[builtins.group, groups]]);
  }

  name(name: string, range: Range): void {
    const before = this.#names.get(name);
    this.#names.set(name, before ? hull(before, range) : range);
    this.#memo.clear();
  }

  of = (e: Expr): Range => {
    const known = this.#memo.get(e);
    if (known) return known;
    const made = meet(this.#compute(e), [e.lo, e.hi]);
    this.#memo.set(e, made);
    return made;
  };

  #compute(e: Expr): Range {
    const declared: Range = [e.lo, e.hi];
    if (e.e === 'ref') return e.mutable ? declared : (this.#names.get(e.name) ?? declared);
    if (e.e !== 'call' || e.type.scalar !== 'i32' || e.type.width !== 1) return declared;
    const [a, b, c] = e.args.map((x) => (x.type.scalar === 'i32' ? this.of(x) : ([x.lo, x.hi] as const)));
    switch (e.fn) {
      case 'add':
        return [a![0] + b![0], a![1] + b![1]];
      case 'sub':
        return [a![0] - b![1], a![1] - b![0]];
      case 'mul':
        return corners(a!, b!, (x, y) => x * y);
      case 'div':
        return b![0] > 0 ? corners(a!, b!, (x, y) => Math.trunc(x / y)) : declared;
      case 'min':
        return [Math.min(a![0], b![0]), Math.min(a![1], b![1])];
      case 'max':
        return [Math.max(a![0], b![0]), Math.max(a![1], b![1])];
      case 'where':
        return hull(b!, c!);
      default:
        return declared;
    }
  }
}

/** For each buffer the elements that workgroups `groups` of a kernel may load or store, or null for none. */
export const reachOf = (
  code: KernelCode,
  groups: Range,
  elementsAStore: (buffer: number) => number,
): readonly (Range | null)[] => {
  const ranges = new Ranges(groups);
  const reach: (Range | null)[] = code.buffers.map(() => null);
  const touch = (buffer: number, [lo, hi]: Range, last: number): void => {
    const [first, end] = [Math.max(0, lo), Math.min(code.buffers[buffer]!.length - 1, hi + last)];
    if (first > end) return;
    const before = reach[buffer];
    reach[buffer] = before ? hull(before, [first, end]) : [first, end];
  };
  const name = (body: readonly Stmt[]): void => {
    for (const s of body) {
      if (s.s === 'let') ranges.name(s.name, ranges.of(s.value));
      if (s.s === 'for') ranges.name(s.counter.name, [ranges.of(s.from)[0], ranges.of(s.to)[1] - 1]);
      for (const b of blocksOf(s)) name(b);
    }
  };
  name(code.body);
  const roots: Expr[] = [];
  visitStmts(code.body, (s) => {
    roots.push(...expressionsOf(s));
    if (s.s !== 'store') return;
    const each = elementsAStore(s.buffer);
    const [lo, hi] = ranges.of(s.index);
    touch(s.buffer, [lo * each, hi * each], each * s.value.type.width - 1);
  });
  visitExprs(roots, (e) => {
    if (e.e === 'load') touch(e.buffer, ranges.of(e.index), e.type.width - 1);
  });
  return reach;
};
