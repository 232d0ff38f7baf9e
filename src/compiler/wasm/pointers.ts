// Strength reduction: in an innermost loop, loads and stores whose index grows by the same number in every turn go through a pointer
// that grows instead, and those a known number of bytes apart share one.
import type { DType } from '../../dsl/core/dtype.ts';
import { call, type Expr, i32, int, lit, load, rawCall, ref, variable } from '../ir/expr.ts';
import { add, linearOf, mul } from '../ir/index-math.ts';
import type { Stmt } from '../ir/stmt.ts';
import { blocksOf, childrenOf, mapStmt, visitExprs, visitStmts, withChildren } from '../ir/walk.ts';
import { shiftOf } from './memory.ts';

/** Names of byte addresses; a load at such a name, or a number of elements past it, needs no arithmetic. */
const MARK = '@';
export const isPointer = (name: string): boolean => name.startsWith(MARK);
export const bufferName = (buffer: number): string => `${MARK}b${buffer}`;

/** The pointer that an index goes by, and how many elements past it. */
export const pointerOf = (index: Expr): { readonly name: string; readonly elements: number } | null => {
  if (index.e !== 'call' || index.fn !== 'add') return null;
  const [p, elements] = index.args as readonly [Expr, Expr];
  return p.e === 'ref' && isPointer(p.name) && elements.e === 'lit' ? { name: p.name, elements: elements.value } : null;
};

type For = Stmt & { readonly s: 'for' };
/** An index as a number of counter steps, invariant terms and a constant. */
interface Affine {
  readonly coefficient: number;
  readonly terms: ReadonlyMap<Expr, number>;
  readonly constant: number;
}

interface Pointer {
  readonly name: string;
  readonly buffer: number;
  readonly coefficient: number;
  readonly terms: ReadonlyMap<Expr, number>;
  /** The least constant of those that share the pointer. */
  least: number;
}

/** Pointers that a loop may have beside its sums. */
const MOST = 8;

class Loop {
  readonly #loop: For;
  readonly #dtypes: readonly DType[];
  readonly #inside: (buffer: number, index: Expr, width: number) => boolean;
  readonly #fresh: () => string;
  /** Values of the integer names that the body declares. */
  readonly #lets = new Map<string, Expr>();
  readonly #declared = new Set<string>();
  readonly pointers = new Map<string, Pointer>();
  readonly #affine = new Map<Expr, Affine | null>();

  constructor(
    loop: For,
    dtypes: readonly DType[],
    inside: (buffer: number, index: Expr, width: number) => boolean,
    fresh: () => string,
  ) {
    this.#loop = loop;
    this.#dtypes = dtypes;
    this.#inside = inside;
    this.#fresh = fresh;
    visitStmts(loop.body, (s) => {
      if (s.s === 'let' || s.s === 'var' || s.s === 'array') this.#declared.add(s.name);
      if (s.s === 'let' && s.value.type === i32) this.#lets.set(s.name, s.value);
    });
  }

  #affineOf(e: Expr): Affine | null {
    const known = this.#affine.get(e);
    if (known !== undefined) return known;
    const made = this.#takeApart(e);
    this.#affine.set(e, made);
    return made;
  }

  #takeApart(e: Expr): Affine | null {
    const { terms, constant } = linearOf(e);
    let [coefficient, sum] = [0, constant];
    const rest = new Map<Expr, number>();
    const take = (x: Expr, k: number): void => {
      const total = (rest.get(x) ?? 0) + k;
      if (total === 0) rest.delete(x);
      else rest.set(x, total);
    };
    for (const [x, k] of terms) {
      if (x.e === 'ref' && x.name === this.#loop.counter.name) coefficient += k;
      else if (x.e === 'ref' && this.#lets.has(x.name)) {
        const inner = this.#affineOf(this.#lets.get(x.name)!);
        if (!inner) return null;
        coefficient += k * inner.coefficient;
        sum += k * inner.constant;
        for (const [y, c] of inner.terms) take(y, k * c);
      } else if (this.#isInvariant(x)) take(x, k);
      else return null;
    }
    return { coefficient, terms: rest, constant: sum };
  }

  #isInvariant(e: Expr): boolean {
    let invariant = true;
    visitExprs([e], (x) => {
      if (x.e === 'load' || x.e === 'element') invariant = false;
      if (x.e === 'ref' && (x.mutable || x.name === this.#loop.counter.name || this.#declared.has(x.name)))
        invariant = false;
    });
    return invariant;
  }

  /** What takes the place of an index, if a pointer does. */
  indexFor(buffer: number, index: Expr, width: number): Expr | null {
    if (!this.#inside(buffer, index, width)) return null;
    const a = this.#affineOf(index);
    if (!a || a.coefficient === 0) return null;
    const key = `${buffer}|${a.coefficient}|${[...a.terms].map(([x, k]) => `${x.id}*${k}`).sort()}`;
    const known = this.pointers.get(key);
    if (!known && this.pointers.size >= MOST) return null;
    const pointer = known ?? {
      name: this.#fresh(),
      buffer,
      coefficient: a.coefficient,
      terms: a.terms,
      least: a.constant,
    };
    pointer.least = Math.min(pointer.least, a.constant);
    this.pointers.set(key, pointer);
    return rawCall('add', [variable(pointer.name, i32), int(a.constant)], i32);
  }

  /** Index of a pointer's access once the least of all is known. */
  settled(index: Expr): Expr {
    const at = pointerOf(index);
    const pointer = at && [...this.pointers.values()].find((x) => x.name === at.name);
    return pointer ? rawCall('add', [variable(at.name, i32), int(at.elements - pointer.least)], i32) : index;
  }

  starts(): readonly Stmt[] {
    return [...this.pointers.values()].map((p): Stmt => {
      const shift = shiftOf[this.#dtypes[p.buffer]!];
      let index = add(mul(this.#loop.from, int(p.coefficient)), int(p.least));
      for (const [x, k] of p.terms) index = add(index, mul(x, int(k)));
      const bytes = call('shl', index, lit(shift));
      const value = rawCall('add', [ref(bufferName(p.buffer)), bytes], i32);
      return { s: 'var', name: p.name, type: i32, value };
    });
  }

  steps(): readonly Stmt[] {
    return [...this.pointers.values()].map((p): Stmt => {
      const bytes = (p.coefficient * this.#loop.step) << shiftOf[this.#dtypes[p.buffer]!];
      return {
        s: 'assign',
        name: p.name,
        value: rawCall('add', [variable(p.name, i32), int(bytes)], i32),
      };
    });
  }
}

const rebuilt = (body: readonly Stmt[], index: (buffer: number, i: Expr, width: number) => Expr): readonly Stmt[] => {
  const memo = new Map<Expr, Expr>();
  const expr = (e: Expr): Expr => {
    const known = memo.get(e);
    if (known) return known;
    const made =
      e.e === 'load'
        ? load(
            e.buffer,
            ((to: Expr) => (to === e.index ? expr(e.index) : to))(index(e.buffer, e.index, e.type.width)),
            e.type,
          )
        : withChildren(e, childrenOf(e).map(expr));
    memo.set(e, made);
    return made;
  };
  const block = (stmts: readonly Stmt[]): readonly Stmt[] =>
    stmts.map((s) => {
      if (s.s !== 'store') return mapStmt(s, expr, block);
      const to = index(s.buffer, s.index, s.value.type.width);
      return { ...s, index: to === s.index ? expr(s.index) : to, value: expr(s.value) };
    });
  return block(body);
};

/** The body with pointers in its innermost loops. `inside`: whether an access is known to stay in its buffer. */
export const withPointers = (
  body: readonly Stmt[],
  dtypes: readonly DType[],
  inside: (buffer: number, index: Expr, width: number) => boolean,
): readonly Stmt[] => {
  let names = 0;
  const fresh = (): string => `${MARK}p${names++}`;
  const block = (stmts: readonly Stmt[]): readonly Stmt[] =>
    stmts.flatMap((s): readonly Stmt[] => {
      if (s.s !== 'for' || s.body.some(holdsLoop)) return [mapStmt(s, (e) => e, block)];
      const loop = new Loop(s, dtypes, inside, fresh);
      const marked = rebuilt(s.body, (b, i, width) => loop.indexFor(b, i, width) ?? i);
      if (loop.pointers.size === 0) return [s];
      const settled = rebuilt(marked, (_, i) => loop.settled(i));
      return [...loop.starts(), { ...s, body: [...settled, ...loop.steps()] }];
    });
  return block(body);
};

const holdsLoop = (s: Stmt): boolean => s.s === 'for' || blocksOf(s).some((b) => b.some(holdsLoop));
