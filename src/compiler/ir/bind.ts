// Names what a kernel computes more than once: pure values at the outermost place that can hold them (also out of loops),
// impure ones (mutable locals, workgroup arrays, buffers being written) only within their statement.
import { type Expr, ref } from './expr.ts';
import type { KernelCode, Stmt } from './stmt.ts';
import { blocksOf, childrenOf, expressionsOf, mapStmt, replaceIn, visitExprs } from './walk.ts';

interface Facts {
  readonly pure: boolean;
  /** Immutable local names that the value needs. */
  readonly needs: ReadonlySet<string>;
}
const MAX_DEPTH = 14;
const none: ReadonlySet<string> = new Set();
const subgroupFns = /^subgroup/;

const trivial = (e: Expr): boolean =>
  e.e === 'lit' ||
  e.e === 'ref' ||
  e.e === 'scalar' ||
  (e.e === 'call' && e.fn === 'component') ||
  (e.e === 'call' && e.fn === 'vec' && e.args.length === 1);

class Binder {
  readonly #facts = new Map<Expr, Facts>();
  readonly #written: ReadonlySet<number>;
  #names = 0;
  constructor(code: KernelCode) {
    this.#written = new Set(code.buffers.flatMap((b, i) => (b.access === 'read_write' ? [i] : [])));
  }

  facts(e: Expr): Facts {
    const known = this.#facts.get(e);
    if (known) return known;
    const kids = childrenOf(e).map((k) => this.facts(k));
    const needs = new Set(kids.flatMap((k) => [...k.needs]));
    if (e.e === 'ref' && !e.mutable) needs.add(e.name);
    const own = !(
      e.e === 'element' ||
      (e.e === 'ref' && e.mutable) ||
      (e.e === 'load' && this.#written.has(e.buffer)) ||
      (e.e === 'call' && subgroupFns.test(e.fn))
    );
    const made = { pure: own && kids.every((k) => k.pure), needs: needs.size === 0 ? none : needs };
    this.#facts.set(e, made);
    return made;
  }

  #fresh(e: Expr): Expr & { readonly e: 'ref' } {
    return ref(`v${this.#names++}`, e.type, e.lo, e.hi) as Expr & { readonly e: 'ref' };
  }

  /** Counts uses of pure expressions in a block, nested ones included; a use inside a loop counts twice, so that it is moved out. */
  #count(stmts: readonly Stmt[], uses: Map<Expr, number>): void {
    const seen = new Set<Expr>();
    const edge = (e: Expr, weight: number): void => {
      uses.set(e, (uses.get(e) ?? 0) + weight);
      if (seen.has(e)) return;
      seen.add(e);
      for (const k of childrenOf(e)) edge(k, 1);
    };
    const walk = (body: readonly Stmt[], weight: number): void => {
      for (const s of body) {
        for (const e of expressionsOf(s)) edge(e, weight);
        for (const b of blocksOf(s)) walk(b, s.s === 'for' ? 2 : weight);
      }
    };
    walk(stmts, 1);
  }

  block(stmts: readonly Stmt[], scope: ReadonlySet<string>, bound: ReadonlyMap<Expr, Expr>): readonly Stmt[] {
    const uses = new Map<Expr, number>();
    this.#count(stmts, uses);
    const inLoop = this.#loopInvariants(stmts);
    const names = new Set(scope);
    const map = new Map(bound);
    const memo = new Map<Expr, Expr>();
    const out: Stmt[] = [];
    for (const s of stmts) {
      const everything: Expr[] = [];
      const collect = (t: Stmt, top: boolean): void => {
        if (!top && t.s === 'if') everything.push(t.cond);
        else everything.push(...expressionsOf(t));
        if (t.s === 'for') for (const b of blocksOf(t)) for (const k of b) collect(k, false);
      };
      collect(s, true);
      visitExprs(everything, (e) => {
        if (map.has(e) || trivial(e)) return;
        const f = this.facts(e);
        if (!f.pure || ((uses.get(e) ?? 0) < 2 && !inLoop.has(e)) || ![...f.needs].every((n) => names.has(n))) return;
        const name = this.#fresh(e);
        out.push({ s: 'let', name: name.name, value: replaceIn(e, map, memo) });
        map.set(e, name);
        memo.clear();
        names.add(name.name);
      });
      out.push(...this.#statement(s, map, memo, names));
      if (s.s === 'let') names.add(s.name);
    }
    return out;
  }

  /** Largest pure subexpressions inside loops that need nothing of the loop. */
  #loopInvariants(stmts: readonly Stmt[]): ReadonlySet<Expr> {
    const found = new Set<Expr>();
    const inside = (body: readonly Stmt[], local: ReadonlySet<string>): void => {
      const names = new Set(local);
      for (const s of body) {
        const look = (e: Expr): void => {
          const f = this.facts(e);
          if (f.pure && !trivial(e) && ![...f.needs].some((n) => names.has(n))) found.add(e);
          else for (const k of childrenOf(e)) look(k);
        };
        for (const e of expressionsOf(s)) look(e);
        if (s.s === 'let') names.add(s.name);
        if (s.s === 'for') inside(s.body, new Set([...names, s.counter.name]));
      }
    };
    for (const s of stmts) if (s.s === 'for') inside(s.body, new Set([s.counter.name]));
    return found;
  }

  #statement(
    s: Stmt,
    map: ReadonlyMap<Expr, Expr>,
    memo: Map<Expr, Expr>,
    names: ReadonlySet<string>,
  ): readonly Stmt[] {
    const roots = expressionsOf(s).map((e) => replaceIn(e, map, memo));
    const uses = new Map<Expr, number>();
    const seen = new Set<Expr>();
    const edge = (e: Expr): void => {
      uses.set(e, (uses.get(e) ?? 0) + 1);
      if (seen.has(e)) return;
      seen.add(e);
      for (const k of childrenOf(e)) edge(k);
    };
    for (const r of roots) edge(r);
    const local = new Map<Expr, Expr>();
    const depth = new Map<Expr, number>();
    const lets: Stmt[] = [];
    visitExprs(roots, (e) => {
      const deep = 1 + Math.max(0, ...childrenOf(e).map((k) => (local.has(k) ? 0 : (depth.get(k) ?? 0))));
      depth.set(e, deep);
      if (trivial(e) || !((uses.get(e) ?? 0) > 1 || deep > MAX_DEPTH)) return;
      const name = this.#fresh(e);
      lets.push({ s: 'let', name: name.name, value: replaceIn(e, local, new Map()) });
      local.set(e, name);
    });
    const inner = new Map<Expr, Expr>();
    const expr = (e: Expr): Expr => replaceIn(replaceIn(e, map, memo), local, inner);
    const scope = s.s === 'for' ? new Set([...names, s.counter.name]) : names;
    return [...lets, mapStmt(s, expr, (b) => this.block(b, scope, map))];
  }
}

/** The body of `code` with shared and loop-invariant values named. `defined` are the names in scope at its start. */
export const bindShared = (code: KernelCode, defined: readonly string[]): readonly Stmt[] =>
  new Binder(code).block(code.body, new Set(defined), new Map());
