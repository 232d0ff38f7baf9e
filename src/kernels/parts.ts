// Long sums with few results: parts of a workgroup take turns with the summed positions, and meet in workgroup memory in a fixed order.
import { counter, loop, plus, range } from '../compiler/ir/build.ts';
import { type Expr, type ExprOf, element, f32x4, i32, int, ref, variable } from '../compiler/ir/expr.ts';
import { add, mul } from '../compiler/ir/index-math.ts';
import type { Stmt, WorkgroupArray } from '../compiler/ir/stmt.ts';

const ARRAY = 'parts';

export interface Parts {
  readonly count: number;
  /** Which part the invocation belongs to, and which of the part's invocations it is. */
  readonly part: Expr;
  readonly owners: number;
  readonly owner: Expr;
}

/** In which order `count` parts that take `depth` positions in turn add up. */
export const orderOf = (count: number, depth: number): string =>
  count === 1 ? 'ascending' : `${count} parts, ${depth} positions in turn`;

/** The part's step number `turn`: steps of `depth` positions are dealt out one by one. */
export const stepOf = (p: Parts, turn: Expr): Expr => add(mul(turn, int(p.count)), p.part);

export const turnsOf = (steps: number, parts: number): number => Math.ceil(steps / parts);

/**
 * Loops over `length` summed positions in steps of `depth`; `body` gets the number of a step and its positions. Alone, a part takes the
 * positions after the last whole step one by one, so that no step asks where the end is; parts that take turns pass the end.
 */
export const overSteps = (
  p: Parts,
  length: number,
  depth: number,
  body: (step: Expr, depth: number) => readonly Stmt[],
): readonly Stmt[] => {
  const whole = p.count === 1 ? Math.floor(length / depth) : Math.ceil(length / depth);
  const turns = turnsOf(whole, p.count);
  const turn = counter('turn', turns - 1);
  const left = ref('left', i32, whole * depth, length - 1);
  const steps = (at: ExprOf<'ref'>, first: number, end: number, inner: readonly Stmt[]): readonly Stmt[] =>
    end > first ? [loop(at, end, inner, { from: first })] : [];
  return [
    ...(turns > 0 ? steps(turn, 0, turns, body(stepOf(p, turn), depth)) : []),
    ...(whole * depth < length ? steps(left, whole * depth, length, body(left, 1)) : []),
  ];
};

/** Bytes of workgroup memory in which `parts` meet, each of `owners` invocations with `vectors` of four results. */
export const meetingBytes = (parts: number, owners: number, vectors: number): number =>
  parts === 1 ? 0 : 16 * parts * owners * vectors;

export interface Meeting {
  readonly arrays: readonly WorkgroupArray[];
  readonly body: readonly Stmt[];
  /** Vector i of the invocation, summed over all parts. */
  readonly sum: (i: Expr) => Expr;
}

/** Every part puts its `names`, vec4 variables, where all see them. */
export const meet = (p: Parts, names: readonly string[]): Meeting => {
  const at = (part: Expr, i: Expr): Expr => add(mul(add(mul(part, int(names.length)), i), int(p.owners)), p.owner);
  return {
    arrays: [{ name: ARRAY, type: f32x4, length: p.count * names.length * p.owners }],
    body: [
      ...names.map(
        (name, i): Stmt => ({
          s: 'setElement',
          array: ARRAY,
          index: at(p.part, int(i)),
          value: variable(name, f32x4),
        }),
      ),
      { s: 'barrier' },
    ],
    sum: (i) =>
      range(p.count)
        .map((k) => element(ARRAY, at(int(k), i), f32x4))
        .reduce(plus),
  };
};
