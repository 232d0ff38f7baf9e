// Names that nothing reads any more, once vectors and pointers took the place of what they were for.
import type { Expr } from '../ir/expr.ts';
import type { Stmt } from '../ir/stmt.ts';
import { expressionsOf, mapStmt, visitExprs } from '../ir/walk.ts';

/** A body without the lets that nothing reads. */
export const withoutUnread = (body: readonly Stmt[]): readonly Stmt[] => {
  const read = new Set<string>();
  const seen = new Set<Expr>();
  const note = (e: Expr): void =>
    visitExprs(
      [e],
      (x) => {
        if (x.e === 'ref') read.add(x.name);
      },
      seen,
    );
  const block = (stmts: readonly Stmt[]): readonly Stmt[] => {
    const kept: Stmt[] = [];
    for (const s of [...stmts].reverse()) {
      if (s.s === 'let' && !read.has(s.name)) continue;
      for (const e of expressionsOf(s)) note(e);
      kept.push(mapStmt(s, (e) => e, block));
    }
    return kept.reverse();
  };
  return block(body);
};
