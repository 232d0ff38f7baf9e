// The invocations of a workgroup as a loop: a kernel is cut at its barriers, every piece runs for all invocations before the next one
// begins, and what an invocation still needs then waits for it in an array.
import { loop } from '../ir/build.ts';
import { builtins } from '../ir/builtins.ts';
import { type Expr, element, i32, int, ref } from '../ir/expr.ts';
import { add, mul } from '../ir/index-math.ts';
import type { KernelCode, Stmt, WorkgroupArray } from '../ir/stmt.ts';
import { blocksOf, expressionsOf, mapStmt, replaceIn, visitExprs, visitStmts } from '../ir/walk.ts';

const hasBarrier = (s: Stmt): boolean => s.s === 'barrier' || blocksOf(s).some((b) => b.some(hasBarrier));

/** A piece between barriers, or a loop or branch around some, for which all invocations agree. */
type Piece = readonly Stmt[] | (Stmt & { readonly s: 'for' | 'if' });
const piecesOf = (body: readonly Stmt[]): readonly Piece[] => {
  const pieces: Piece[] = [];
  let open: Stmt[] = [];
  const close = (): void => {
    if (open.length > 0) pieces.push(open);
    open = [];
  };
  for (const s of body) {
    if (!hasBarrier(s)) open.push(s);
    else {
      close();
      if (s.s === 'for' || s.s === 'if') pieces.push(s);
    }
  }
  close();
  return pieces;
};
const isPiece = (p: Piece): p is readonly Stmt[] => Array.isArray(p);

/** Names that a piece declares at its own level, and names that statements read or assign. */
const declared = (piece: readonly Stmt[]): readonly (Stmt & { readonly s: 'let' | 'var' | 'array' })[] =>
  piece.filter((s) => s.s === 'let' || s.s === 'var' || s.s === 'array');
const namesIn = (body: readonly Stmt[]): ReadonlySet<string> => {
  const names = new Set<string>();
  const roots: Expr[] = [];
  visitStmts(body, (s) => {
    roots.push(...expressionsOf(s));
    if (s.s === 'assign') names.add(s.name);
    if (s.s === 'setElement') names.add(s.array);
  });
  visitExprs(roots, (e) => {
    if (e.e === 'ref') names.add(e.name);
    if (e.e === 'element') names.add(e.array);
  });
  return names;
};

const local = (size: number): Expr & { readonly e: 'ref' } => ref(builtins.local, i32, 0, size - 1);

class Cutter {
  readonly #size: number;
  readonly #kept = new Map<string, WorkgroupArray>();
  constructor(size: number) {
    this.#size = size;
  }

  get arrays(): readonly WorkgroupArray[] {
    return [...this.#kept.values()];
  }

  /** Gives arrays to the names that a piece declares and a later one needs, at this level and below. */
  findKept(body: readonly Stmt[]): void {
    const pieces = piecesOf(body);
    for (const [i, p] of pieces.entries()) {
      if (!isPiece(p)) {
        for (const b of blocksOf(p)) this.findKept(b);
        continue;
      }
      const later = namesIn(pieces.slice(i + 1).flatMap((q) => (isPiece(q) ? q : [q])));
      for (const s of declared(p)) {
        if (!later.has(s.name)) continue;
        const [type, length] = s.s === 'array' ? [s.type, s.length] : [s.s === 'let' ? s.value.type : s.type, 1];
        this.#kept.set(s.name, { name: `${s.name}_kept`, type, length: length * this.#size });
      }
    }
  }

  readonly #memo = new Map<Expr, Expr>();
  #read = (e: Expr): Expr => {
    const by = new Map<Expr, Expr>();
    visitExprs([e], (x) => {
      const kept = x.e === 'ref' ? this.#kept.get(x.name) : x.e === 'element' ? this.#kept.get(x.array) : undefined;
      if (!kept) return;
      const at = x.e === 'element' ? this.#place(kept, replaceIn(x.index, by, new Map())) : local(this.#size);
      by.set(x, element(kept.name, at, x.type));
    });
    return by.size === 0 ? e : replaceIn(e, by, this.#memo);
  };
  /** An invocation's own elements lie together. */
  #place(kept: WorkgroupArray, index: Expr): Expr {
    const each = kept.length / this.#size;
    return addTo(mulBy(local(this.#size), each), index);
  }

  #rewrite = (body: readonly Stmt[]): readonly Stmt[] =>
    body.flatMap((s): readonly Stmt[] => {
      const now = mapStmt(s, this.#read, this.#rewrite);
      if (now.s === 'let' || now.s === 'var' || now.s === 'assign') {
        const kept = this.#kept.get(now.name);
        return kept ? [{ s: 'setElement', array: kept.name, index: local(this.#size), value: now.value }] : [now];
      }
      if (now.s === 'array') return this.#kept.has(now.name) ? [] : [now];
      if (now.s === 'setElement') {
        const kept = this.#kept.get(now.array);
        return kept ? [{ ...now, array: kept.name, index: this.#place(kept, now.index) }] : [now];
      }
      return [now];
    });

  cut(body: readonly Stmt[]): readonly Stmt[] {
    return piecesOf(body).map((p): Stmt => {
      if (isPiece(p)) return loop(local(this.#size), this.#size, this.#rewrite(p));
      // What all agree on is read as the first invocation has it.
      const agreed = (e: Expr): Expr =>
        replaceIn(this.#read(e), new Map([[local(this.#size) as Expr, int(0)]]), new Map());
      return mapStmt(p, agreed, (b) => this.cut(b));
    });
  }
}
const addTo = (a: Expr, b: Expr): Expr => (b.e === 'lit' && b.value === 0 ? a : add(a, b));
const mulBy = (a: Expr, n: number): Expr => (n === 1 ? a : mul(a, int(n)));

export interface Looped {
  readonly body: readonly Stmt[];
  readonly arrays: readonly WorkgroupArray[];
}

/** The body for one workgroup, its invocations as loops, and the workgroup arrays with those that the loops need. */
export const withInvocations = (code: KernelCode): Looped => {
  const { body, workgroupSize: size, arrays } = code;
  if (size === 1) {
    const alone = new Map([[local(1) as Expr, int(0)]]);
    const memo = new Map<Expr, Expr>();
    const strip = (stmts: readonly Stmt[]): readonly Stmt[] =>
      stmts.filter((s) => s.s !== 'barrier').map((s) => mapStmt(s, (e) => replaceIn(e, alone, memo), strip));
    return { body: strip(body), arrays };
  }
  const cutter = new Cutter(size);
  cutter.findKept(body);
  return { body: cutter.cut(body), arrays: [...arrays, ...cutter.arrays] };
};
