// Neighbours of an operand whose rows are no whole quads: picked from the aligned quads that cover them, at a shift known beforehand.
import { range } from '../../compiler/ir/build.ts';
import { component, type Expr, int, vec4 } from '../../compiler/ir/expr.ts';
import { add } from '../../compiler/ir/index-math.ts';
import type { Block } from '../template.ts';
import { coordinates, type MatrixProduct, type ProductIndex } from './product.ts';

type Group = 'row' | 'column' | 'summed';

const lettersOf = (p: MatrixProduct, group: Group): string =>
  group === 'row' ? p.rows : group === 'column' ? p.columns : p.summed;

/**
 * `vectors` times four neighbours of operand `which` (0: rows, 1: columns) along `group`, from `at` on. The quads reach past the ends of
 * a row, into elements that are not picked. Null where the shift differs from one invocation to the next, or memory lies otherwise.
 */
export const neighbours = (
  p: MatrixProduct,
  block: Block,
  which: 0 | 1,
  group: Group,
  at: ProductIndex,
  vectors: number,
): readonly Expr[] | null => {
  const letters = which === 0 ? p.a : p.b;
  const letter = lettersOf(p, group);
  if (letter.length !== 1) return null;
  const axis = letters.indexOf(letter);
  const quad = (offset: number): Expr | null => {
    const there = { ...at, [group]: add(at[group]!, int(offset)) };
    const v = block.loadVector(p.operands[which], coordinates(p, letters, there), axis, 4);
    return v.e === 'load' ? v : null;
  };
  const shift = [0, 1, 2, 3].find((s) => quad(-s) !== null);
  if (shift === undefined) return null;
  const quads = range(shift === 0 ? vectors : vectors + 1).map((i) => quad(4 * i - shift));
  if (!quads.every((q) => q !== null)) return null;
  if (shift === 0) return quads.map((q) => q!);
  return range(vectors).map((v) =>
    vec4(
      range(4).map((c) => {
        const place = 4 * v + c + shift;
        return component(quads[Math.floor(place / 4)]!, place % 4);
      }),
    ),
  );
};
