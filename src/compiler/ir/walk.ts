// Traversal and rebuilding of expressions and statements.
import { type Expr, element, load, rawCall } from './expr.ts';
import type { Stmt } from './stmt.ts';

export const childrenOf = (e: Expr): readonly Expr[] =>
  e.e === 'call' ? e.args : e.e === 'load' || e.e === 'element' ? [e.index] : [];

export const withChildren = (e: Expr, kids: readonly Expr[]): Expr => {
  if (e.e === 'call') return kids.every((k, i) => k === e.args[i]) ? e : rawCall(e.fn, kids, e.type, e.lo, e.hi);
  if (e.e === 'load') return kids[0] === e.index ? e : load(e.buffer, kids[0]!, e.type);
  if (e.e === 'element') return kids[0] === e.index ? e : element(e.array, kids[0]!, e.type);
  return e;
};

/** `e` with every expression in `by` replaced. `memo` may be shared by calls with the same `by`. */
export const replaceIn = (e: Expr, by: ReadonlyMap<Expr, Expr>, memo: Map<Expr, Expr>): Expr => {
  const direct = by.get(e);
  if (direct) return direct;
  const known = memo.get(e);
  if (known) return known;
  const made = withChildren(
    e,
    childrenOf(e).map((k) => replaceIn(k, by, memo)),
  );
  memo.set(e, made);
  return made;
};

/** Expressions that a statement evaluates itself, nested blocks left out. */
export const expressionsOf = (s: Stmt): readonly Expr[] => {
  switch (s.s) {
    case 'let':
    case 'var':
    case 'assign':
      return [s.value];
    case 'setElement':
    case 'store':
      return [s.index, s.value];
    case 'loadMatrix':
    case 'storeMatrix':
      return [s.index];
    case 'for':
      return [s.from, s.to];
    case 'if':
      return [s.cond];
    default:
      return [];
  }
};

export const blocksOf = (s: Stmt): readonly (readonly Stmt[])[] =>
  s.s === 'for' ? [s.body] : s.s === 'if' ? [s.then, s.else ?? []] : [];

/** A statement with its own expressions and its nested blocks rebuilt. */
export const mapStmt = (s: Stmt, expr: (e: Expr) => Expr, block: (b: readonly Stmt[]) => readonly Stmt[]): Stmt => {
  switch (s.s) {
    case 'let':
    case 'var':
    case 'assign':
      return { ...s, value: expr(s.value) };
    case 'setElement':
    case 'store':
      return { ...s, index: expr(s.index), value: expr(s.value) };
    case 'loadMatrix':
    case 'storeMatrix':
      return { ...s, index: expr(s.index) };
    case 'for':
      return { ...s, from: expr(s.from), to: expr(s.to), body: block(s.body) };
    case 'if':
      return { ...s, cond: expr(s.cond), then: block(s.then), ...(s.else ? { else: block(s.else) } : {}) };
    default:
      return s;
  }
};

/** Visits every distinct expression below `roots` once, children first. */
export const visitExprs = (roots: Iterable<Expr>, f: (e: Expr) => void, seen: Set<Expr> = new Set()): void => {
  const go = (e: Expr): void => {
    if (seen.has(e)) return;
    seen.add(e);
    for (const k of childrenOf(e)) go(k);
    f(e);
  };
  for (const r of roots) go(r);
};

export const visitStmts = (body: readonly Stmt[], f: (s: Stmt) => void): void => {
  for (const s of body) {
    f(s);
    for (const b of blocksOf(s)) visitStmts(b, f);
  }
};
