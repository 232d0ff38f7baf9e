// Row operations on a processor: a row at a time, four columns as a vector; partial results are vectors too, and meet at the row's end.

import { loop } from '../../compiler/ir/build.ts';
import { builtins } from '../../compiler/ir/builtins.ts';
import type { Caps } from '../../compiler/ir/caps.ts';
import { component, type Expr, i32, int, ref, scalarType, splat4, variable, vec4 } from '../../compiler/ir/expr.ts';
import { add, delinearise, mul } from '../../compiler/ir/index-math.ts';
import type { Stmt } from '../../compiler/ir/stmt.ts';
import { isKind } from '../../dsl/core/node.ts';
import type { Node } from '../../dsl/core/types.ts';
import type { Block, Emitted, KernelTemplate } from '../template.ts';
import type { RowGraph } from './graph.ts';
import { row, rowGraphOf } from './row.ts';
import { type Fold, foldOf, RowValues } from './values.ts';

const LANES = 4;
/** Quads of a turn, each with sums of its own: a sum waits for the last one, and fewer terms a sum lose less. */
const SPREAD = 4;

class RowEmitter {
  readonly #g: RowGraph;
  readonly #block: Block;
  readonly #outs: Node['outs'];
  readonly #row: Expr;
  /** Values at quads of columns, and at the single ones that are left. */
  readonly #quads: RowValues;
  readonly #singles: RowValues;
  readonly #whole: number;
  #loops = 0;

  constructor(node: Node, block: Block) {
    this.#g = rowGraphOf(node);
    this.#block = block;
    this.#outs = node.outs;
    this.#row = ref(builtins.group, i32, 0, Math.max(0, this.#g.rows - 1));
    this.#quads = new RowValues(this.#g, block, this.#row, LANES);
    this.#singles = new RowValues(this.#g, block, this.#row, 1);
    this.#whole = Math.floor(this.#g.n / LANES);
  }

  /** Statements for every quad, `spread` of them a turn of a loop, and for every column after them. */
  #each(
    quad: (unit: Expr, which: number) => readonly Stmt[],
    single: (column: Expr) => readonly Stmt[],
    spread = 1,
  ): readonly Stmt[] {
    const rest = this.#g.n - LANES * this.#whole;
    const turns = (first: number, last: number, step: number): readonly Stmt[] => {
      if (first === last) return [];
      const counter = ref(`u${this.#loops++}`, i32, first, last - step);
      const body = Array.from({ length: step }, (_, k) => quad(add(counter, int(k)), k)).flat();
      return [loop(counter, last, body, { from: first, step })];
    };
    const even = this.#whole - (this.#whole % spread);
    return [
      ...turns(0, even, spread),
      ...turns(even, this.#whole, 1),
      ...Array.from({ length: rest }, (_, k) => single(int(LANES * this.#whole + k))).flat(),
    ];
  }

  #phase(reductions: readonly Node[]): readonly Stmt[] {
    const folds = reductions.map((r) => foldOf(r, this.#quads.accumulator(r)));
    const spread = this.#whole >= 4 * SPREAD ? SPREAD : 1;
    const sums = Array.from({ length: spread }, (_, which) => which);
    const wide = (f: Fold, which: number): string => `${f.name}_lanes${which}`;
    const lanes = (f: Fold, which: number): Expr => variable(wide(f, which), scalarType(f.type.scalar, LANES));
    const accumulate = this.#each(
      (unit, which) => {
        const columns = this.#quads.at(unit);
        return folds.map((f, k): Stmt => {
          const each = columns.map((c) => c(reductions[k]!.src[0]!));
          return { s: 'assign', name: wide(f, which), value: f.step(lanes(f, which), vec4(each)) };
        });
      },
      (column) => {
        const at = this.#singles.at(column)[0]!;
        return folds.map(
          (f, k): Stmt => ({
            s: 'assign',
            name: f.name,
            value: f.step(f.value, at(reductions[k]!.src[0]!)),
          }),
        );
      },
      spread,
    );
    const total = (f: Fold): Expr => {
      const all = sums.map((which) => lanes(f, which));
      const met = spread === 1 ? all[0]! : f.step(f.step(all[0]!, all[1]!), f.step(all[2]!, all[3]!));
      const [a, b, c, d] = [0, 1, 2, 3].map((k) => component(met, k)) as [Expr, Expr, Expr, Expr];
      const row = f.step(f.step(a, b), f.step(c, d));
      return this.#g.n === LANES * this.#whole ? row : f.step(row, f.value);
    };
    return [
      ...folds.flatMap((f): readonly Stmt[] => [
        ...sums.map((which): Stmt => {
          const type = scalarType(f.type.scalar, LANES);
          return { s: 'var', name: wide(f, which), type, value: splat4(f.start) };
        }),
        { s: 'var', name: f.name, type: f.type, value: f.start },
      ]),
      ...accumulate,
      ...reductions.map((r, k): Stmt => ({ s: 'let', name: this.#quads.result(r), value: total(folds[k]!) })),
    ];
  }

  #store(result: number, column: Expr, value: Expr): readonly Stmt[] {
    const flat = add(mul(this.#row, int(this.#g.n)), column);
    return this.#block.store(result, delinearise(flat, this.#outs[result]!.shape), value);
  }

  #results(): readonly Stmt[] {
    const vectors = this.#g.results.flatMap((r, k) => (r.vector ? [k] : []));
    const stores = this.#each(
      (unit) => {
        const columns = this.#quads.at(unit);
        return vectors.flatMap((k) =>
          columns.flatMap((c, j) => this.#store(k, add(mul(unit, int(LANES)), int(j)), c(this.#g.results[k]!.node))),
        );
      },
      (column) => {
        const at = this.#singles.at(column)[0]!;
        return vectors.flatMap((k) => this.#store(k, column, at(this.#g.results[k]!.node)));
      },
    );
    const scalars = this.#g.results.flatMap((r, k) =>
      r.vector ? [] : this.#block.store(k, delinearise(this.#row, this.#outs[k]!.shape), this.#quads.scalar(r.node)),
    );
    return [...(vectors.length > 0 ? stores : []), ...scalars];
  }

  emit(): Emitted {
    const phases = this.#g.phases.flatMap((p) => this.#phase(p));
    return { workgroupSize: 1, groups: this.#g.rows, body: [...phases, ...this.#results()] };
  }
}

export const rowSimd: KernelTemplate = {
  ...row,
  name: 'row-simd',
  version: 1,
  refuses: (n, caps: Caps) => {
    if (caps.target !== 'wasm') return 'vectors of an invocation are for processors';
    return isKind(n, 'fused') ? row.refuses(n, caps) : 'no fused call';
  },
  space: () => [{ lanes: LANES }],
  heuristic: () => ({ lanes: LANES }),
  emit: (n, _, block) => new RowEmitter(n, block).emit(),
  order: () => 'lanes of four quads in turn, then their sum, then what is left',
};
