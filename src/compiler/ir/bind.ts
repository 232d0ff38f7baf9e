// Names what a kernel computes more than once: pure values at the outermost place that can hold them (also out of loops),
// impure ones (mutable locals, workgroup arrays, buffers being written) only within their statement.
import { type Expr, ref } from './expr.ts';
import type { KernelCode, Stmt } from './stmt.ts';
import { blocksOf, childrenOf, expressionsOf, mapStmt, replaceIn, visitExprs, visitStmts } from './walk.ts';

interface Facts {
  readonly pure: boolean;
  /** Immutable local names that the value needs. */
  readonly needs: ReadonlySet<string>;
  /** Whether it is or holds a pure value that is worth a name. */
  readonly bindable: boolean;
}
const MAX_DEPTH = 14;
const none: ReadonlySet<string> = new Set();
const subgroupFns = /^subgroup/;

const trivial = (e: Expr): boolean =>
  e.e === 'lit' ||
  e.e === 'ref' ||
  e.e === 'scalar' ||
  (e.e === 'call' && e.fn === 'component' && e.args[1]!.e === 'lit') ||
  (e.e === 'call' && e.fn === 'vec' && e.args.length === 1);

/** Every name that the statements declare. */
const declaredIn = (body: readonly Stmt[]): ReadonlySet<string> => {
  const names = new Set<string>();
  visitStmts(body, (s) => {
    if (s.s === 'let' || s.s === 'var' || s.s === 'array' || s.s === 'matrix' || s.s === 'loadMatrix')
      names.add(s.name);
    if (s.s === 'for') names.add(s.counter.name);
  });
  return names;
};

const join = (a: ReadonlySet<string>, b: ReadonlySet<string>): ReadonlySet<string> => {
  const [large, small] = a.size >= b.size ? [a, b] : [b, a];
  for (const x of small) if (!large.has(x)) return new Set([...large, ...small]);
  return large;
};
const within = (needs: ReadonlySet<string>, names: ReadonlySet<string>): boolean => {
  for (const n of needs) if (!names.has(n)) return false;
  return true;
};
const meets = (needs: ReadonlySet<string>, names: ReadonlySet<string>): boolean => {
  for (const n of needs) if (names.has(n)) return true;
  return false;
};

class Binder {
  readonly #facts = new Map<Expr, Facts>();
  readonly #written: ReadonlySet<number>;
  readonly #taken: ReadonlySet<string>;
  #names = 0;
  constructor(code: KernelCode) {
    this.#written = new Set(code.buffers.flatMap((b, i) => (b.access === 'read_write' ? [i] : [])));
    this.#taken = declaredIn(code.body);
  }

  facts(e: Expr): Facts {
    const known = this.#facts.get(e);
    if (known) return known;
    let pure = !(
      e.e === 'element' ||
      (e.e === 'ref' && e.mutable) ||
      (e.e === 'load' && this.#written.has(e.buffer)) ||
      (e.e === 'call' && subgroupFns.test(e.fn))
    );
    let needs: ReadonlySet<string> = e.e === 'ref' && !e.mutable ? new Set([e.name]) : none;
    let bindable = false;
    for (const k of childrenOf(e)) {
      const f = this.facts(k);
      pure &&= f.pure;
      bindable ||= f.bindable;
      needs = join(needs, f.needs);
    }
    const made = { pure, needs, bindable: bindable || (pure && !trivial(e)) };
    this.#facts.set(e, made);
    return made;
  }

  #fresh(e: Expr): Expr & { readonly e: 'ref' } {
    let name = `v${this.#names++}`;
    while (this.#taken.has(name)) name = `v${this.#names++}`;
    return ref(name, e.type, e.lo, e.hi);
  }

  /** Counts uses of pure expressions in a block, nested ones included; a use inside a loop counts twice, so that it is moved out. */
  #count(stmts: readonly Stmt[], uses: Map<Expr, number>): void {
    const seen = new Set<Expr>();
    const edge = (e: Expr, weight: number): void => {
      if (!this.facts(e).bindable) return;
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
    // Settled: no later statement can bind more of it. Waiting: some of it needs a name that is not in scope yet.
    const settled = new Set<Expr>();
    let waiting = new Set<Expr>();
    const bind = (e: Expr): boolean => {
      if (settled.has(e) || map.has(e) || !this.facts(e).bindable) return true;
      if (waiting.has(e)) return false;
      let done = true;
      for (const k of childrenOf(e)) if (!bind(k)) done = false;
      if (!trivial(e)) {
        const f = this.facts(e);
        if (f.pure && ((uses.get(e) ?? 0) >= 2 || inLoop.has(e))) {
          if (within(f.needs, names)) {
            const name = this.#fresh(e);
            out.push({ s: 'let', name: name.name, value: replaceIn(e, map, memo) });
            map.set(e, name);
            names.add(name.name);
          } else done = false;
        }
      }
      (done ? settled : waiting).add(e);
      return done;
    };
    const bindAll = (t: Stmt, top: boolean): void => {
      if (!top && t.s === 'if') bind(t.cond);
      else for (const e of expressionsOf(t)) bind(e);
      if (t.s === 'for') for (const k of t.body) bindAll(k, false);
    };
    for (const s of stmts) {
      waiting = new Set();
      bindAll(s, true);
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
      const seen = new Set<Expr>();
      const look = (e: Expr): void => {
        if (seen.has(e)) return;
        seen.add(e);
        const f = this.facts(e);
        if (!f.bindable) return;
        if (f.pure && !trivial(e) && !meets(f.needs, names)) found.add(e);
        else for (const k of childrenOf(e)) look(k);
      };
      for (const s of body) {
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
    const replaced = (e: Expr): Expr => (this.facts(e).bindable ? replaceIn(e, map, memo) : e);
    const roots = expressionsOf(s).map(replaced);
    const uses = new Map<Expr, number>();
    const edge = (e: Expr): void => {
      const n = uses.get(e) ?? 0;
      uses.set(e, n + 1);
      if (n === 0) for (const k of childrenOf(e)) edge(k);
    };
    for (const r of roots) edge(r);
    const local = new Map<Expr, Expr>();
    const inner = new Map<Expr, Expr>();
    const depth = new Map<Expr, number>();
    const lets: Stmt[] = [];
    visitExprs(roots, (e) => {
      let deep = 1;
      for (const k of childrenOf(e)) if (!local.has(k)) deep = Math.max(deep, 1 + depth.get(k)!);
      depth.set(e, deep);
      if (trivial(e) || !(uses.get(e)! > 1 || deep > MAX_DEPTH)) return;
      const name = this.#fresh(e);
      lets.push({ s: 'let', name: name.name, value: replaceIn(e, local, inner) });
      local.set(e, name);
    });
    const expr = (e: Expr): Expr => (local.size > 0 ? replaceIn(replaced(e), local, inner) : replaced(e));
    const scope = s.s === 'for' ? new Set([...names, s.counter.name]) : names;
    return [...lets, mapStmt(s, expr, (b) => this.block(b, scope, map))];
  }
}

/** The body of `code` with shared and loop-invariant values named. `defined` are the names in scope at its start. */
export const bindShared = (code: KernelCode, defined: readonly string[]): readonly Stmt[] =>
  new Binder(code).block(code.body, new Set(defined), new Map());
