// Row operations (softmax, norms, cross entropy and their gradients) in one kernel: some lanes of a workgroup share a row, each phase
// of reductions ends in a tree over them, and the last pass makes the results.

import { loop } from '../../compiler/ir/build.ts';
import { builtins } from '../../compiler/ir/builtins.ts';
import type { Caps } from '../../compiler/ir/caps.ts';
import { call, type Expr, i32, int, ref, where } from '../../compiler/ir/expr.ts';
import { add, delinearise, min, mul } from '../../compiler/ir/index-math.ts';
import type { Stmt, WorkgroupArray } from '../../compiler/ir/stmt.ts';
import { isKind, sizeOf } from '../../dsl/core/node.ts';
import type { Node } from '../../dsl/core/types.ts';
import { fixedSubgroup, foldLanes, type Lanes, lanesOf } from '../lanes.ts';
import type { Block, Emitted, KernelTemplate, Schedule } from '../template.ts';
import { type RowGraph, rowGraph } from './graph.ts';
import { foldOf, RowValues } from './values.ts';

interface Params {
  /** Lanes that share a row. */
  readonly width: number;
  /** Rows of a workgroup. */
  readonly rows: number;
  readonly vector: 1 | 4;
  /** The loop over a lane's columns is unrolled, so that all stay in registers; otherwise each phase loads them again. */
  readonly unroll: boolean;
  readonly shuffle: boolean;
}
const params = (s: Schedule): Params => ({
  width: Number(s.width),
  rows: Number(s.rows),
  vector: s.vector === 4 ? 4 : 1,
  unroll: s.unroll === true,
  shuffle: s.shuffle === true,
});

/** The graph of a call that the template takes. */
export const rowGraphOf = (n: Node): RowGraph => {
  const g = rowGraph(n);
  if (typeof g === 'string') throw new Error(`row: ${g}`);
  return g;
};

class RowEmitter {
  readonly #g: RowGraph;
  readonly #block: Block;
  readonly #p: Params;
  readonly #lanes: Lanes;
  readonly #outs: Node['outs'];
  readonly #row: Expr;
  readonly #raw: Expr;
  readonly #groups: number;
  readonly #values: RowValues;
  readonly #arrays: WorkgroupArray[] = [];
  /** Units of `vector` columns: whole rounds of all lanes, then what is left. */
  readonly #units: number;
  readonly #whole: number;
  readonly #rest: number;
  #loops = 0;

  constructor(node: Node, p: Params, block: Block, caps: Caps) {
    const g = rowGraphOf(node);
    this.#g = g;
    this.#p = p;
    this.#block = block;
    this.#outs = node.outs;
    this.#lanes = lanesOf(p.width, p.rows, p.shuffle, caps);
    this.#groups = Math.ceil(g.rows / p.rows);
    const group = ref(builtins.group, i32, 0, this.#groups - 1);
    this.#raw = p.rows === 1 ? group : add(mul(group, int(p.rows)), this.#lanes.row);
    this.#row = ref('row', i32, 0, g.rows - 1);
    this.#units = g.n / p.vector;
    this.#whole = Math.floor(this.#units / p.width);
    this.#rest = this.#units - this.#whole * p.width;
    this.#values = new RowValues(g, block, this.#row, p.vector);
  }

  /** Statements for each of the lane's units; `inside` is null where the unit is surely in the row. */
  #each(body: (unit: Expr, inside: Expr | null) => readonly Stmt[]): readonly Stmt[] {
    const { lane, width } = this.#lanes;
    const at = (k: Expr): Expr => add(mul(k, int(width)), lane);
    const out: Stmt[] = [];
    if (this.#p.unroll || this.#whole <= 1) for (let k = 0; k < this.#whole; k++) out.push(...body(at(int(k)), null));
    else {
      const counter = ref(`u${this.#loops++}`, i32, 0, this.#whole - 1);
      out.push(loop(counter, this.#whole, body(at(counter), null)));
    }
    if (this.#rest > 0) {
      const last = at(int(this.#whole));
      out.push(...body(min(last, int(this.#units - 1)), call('lt', last, int(this.#units))));
    }
    return out;
  }

  #phase(reductions: readonly Node[]): readonly Stmt[] {
    const folds = reductions.map((r) => foldOf(r, this.#values.accumulator(r)));
    const body: Stmt[] = folds.map((f) => ({ s: 'var', name: f.name, type: f.type, value: f.start }));
    body.push(
      ...this.#each((unit, inside) => {
        const columns = this.#values.at(unit);
        return reductions.map((r, k): Stmt => {
          const f = folds[k]!;
          const each = columns.map((c) => c(r.src[0]!)).map((v) => (inside ? where(inside, v, f.start) : v));
          const pairs = each.length === 4 ? [f.step(each[0]!, each[1]!), f.step(each[2]!, each[3]!)] : each;
          return { s: 'assign', name: f.name, value: f.step(f.value, pairs.reduce(f.step)) };
        });
      }),
    );
    const tree = foldLanes(this.#lanes, folds);
    this.#arrays.push(...tree.arrays);
    body.push(...tree.body);
    return [
      ...body,
      ...reductions.map((r, k): Stmt => ({ s: 'let', name: this.#values.result(r), value: folds[k]!.value })),
    ];
  }

  #store(result: number, unit: Expr, column: number, value: Expr): readonly Stmt[] {
    const { vector } = this.#p;
    const flat = add(mul(this.#row, int(this.#g.n)), add(mul(unit, int(vector)), int(column)));
    return this.#block.store(result, delinearise(flat, this.#outs[result]!.shape), value);
  }

  #results(): readonly Stmt[] {
    const vectors = this.#g.results.flatMap((r, k) => (r.vector ? [k] : []));
    const body: Stmt[] = [];
    if (vectors.length > 0)
      body.push(
        ...this.#each((unit, inside) => {
          const columns = this.#values.at(unit);
          const stores = vectors.flatMap((k) =>
            columns.flatMap((c, j) => this.#store(k, unit, j, c(this.#g.results[k]!.node))),
          );
          return inside ? [{ s: 'if', cond: inside, then: stores }] : stores;
        }),
      );
    const scalars = this.#g.results.flatMap((r, k) =>
      r.vector ? [] : this.#block.store(k, delinearise(this.#row, this.#outs[k]!.shape), this.#values.scalar(r.node)),
    );
    if (scalars.length > 0)
      body.push(
        ...(this.#p.width === 1
          ? scalars
          : [{ s: 'if' as const, cond: call('eq', this.#lanes.lane, int(0)), then: scalars }]),
      );
    return body;
  }

  emit(): Emitted {
    const { rows } = this.#g;
    const even = rows % this.#p.rows === 0;
    const phases = this.#g.phases.map((p) => this.#phase(p));
    const results = this.#results();
    const body: Stmt[] = [
      { s: 'let', name: 'row', value: even ? this.#raw : min(this.#raw, int(rows - 1)) },
      ...phases.flat(),
      ...(even ? results : [{ s: 'if' as const, cond: call('lt', this.#raw, int(rows)), then: results }]),
    ];
    return {
      workgroupSize: this.#lanes.size,
      groups: this.#groups,
      arrays: this.#arrays,
      subgroups: this.#lanes.subgroups,
      body,
    };
  }
}

const powerOfTwo = (x: number): number => 2 ** Math.floor(Math.log2(Math.max(1, x)));

const heuristic = (call_: Node, caps: Caps): Schedule => {
  const g = rowGraphOf(call_);
  const vector = g.n % 4 === 0 ? 4 : 1;
  const units = g.n / vector;
  const subgroup = fixedSubgroup(caps);
  // Unrolled code compiles slowly on software adapters, where loading again costs little.
  const unrolled = (width: number): boolean => Math.ceil(g.n / width) <= (caps.software ? 8 : 16);
  const make = (width: number, rows: number): Schedule => ({
    width,
    rows,
    vector,
    unroll: unrolled(width),
    shuffle: subgroup > 1 && width > 1,
  });
  if (caps.software && subgroup > 0) {
    const width = g.n <= 32 && g.rows >= 8 * subgroup ? 1 : Math.min(subgroup, powerOfTwo(units));
    // A workgroup costs as much as some hundred columns.
    const rows = Math.min(Math.ceil(g.rows / 4), Math.floor(1024 / g.n), 64 / width);
    return make(width, Math.max(subgroup / width, powerOfTwo(rows)));
  }
  // Narrow rows share a workgroup, or lanes of wide subgroups would be idle; several subgroups have a row to themselves.
  const rowsFor = (width: number): number =>
    subgroup > 1 && width > subgroup ? 1 : Math.max(1, Math.max(64, subgroup) / width);
  if (units <= 32) {
    const width = Math.min(powerOfTwo(units), subgroup || 32);
    return make(width, rowsFor(width));
  }
  const width = Math.min(256, caps.limits.invocations, powerOfTwo(Math.max(32, units / 2)));
  return make(width, caps.software ? 1 : rowsFor(width));
};

const space = (call_: Node, caps: Caps): readonly [Schedule, ...Schedule[]] => {
  const { n } = rowGraphOf(call_);
  const widths = [1, 4, 8, 16, 32, 64, 128, 256].filter((w) => w <= caps.limits.invocations && w <= 2 * n);
  const all = widths.flatMap((width) => {
    const rows = [...new Set([1, Math.max(1, 64 / width)])];
    const vectors = n % 4 === 0 ? [4, 1] : [1];
    const unrolls = Math.ceil(n / width) <= (caps.software ? 16 : 32) ? [false, true] : [false];
    const shuffles = fixedSubgroup(caps) > 1 && width > 1 ? [false, true] : [false];
    return rows.flatMap((r) =>
      vectors.flatMap((vector) =>
        unrolls.flatMap((unroll) => shuffles.map((shuffle) => ({ width, rows: r, vector, unroll, shuffle }))),
      ),
    );
  });
  return [{ width: Math.min(64, caps.limits.invocations), rows: 1, vector: 1, unroll: false, shuffle: false }, ...all];
};

const storable = (n: Node, caps: Caps): boolean =>
  n.outs.every((o) => o.dtype === 'f32' || o.dtype === 'i32' || o.dtype === 'u32' || (o.dtype === 'f16' && caps.f16));

export const row: KernelTemplate = {
  name: 'row',
  version: 1,
  refuses: (n, caps) => {
    if (!isKind(n, 'fused')) return 'no fused call';
    const g = rowGraph(n);
    if (typeof g === 'string') return g;
    return storable(n, caps) ? null : 'a dtype that needs packing';
  },
  space,
  heuristic,
  emit: (n, schedule, block, caps) => new RowEmitter(n, params(schedule), block, caps).emit(),
  work: (n) => {
    const g = rowGraphOf(n);
    const reduced = g.phases.flat().length;
    const size = g.rows * g.n;
    const moved =
      g.sources.reduce((b, s) => b + sizeOf(s.node.shape), 0) + g.results.reduce((b, r) => b + sizeOf(r.node.shape), 0);
    return { flops: size * (2 * reduced + 2 * g.results.filter((r) => r.vector).length), bytes: 4 * moved };
  },
  // Long rows are loaded again in each phase; a shared vector is read by every row.
  reuse: (n, k) => {
    const g = rowGraphOf(n);
    const { role } = g.sources[k]!;
    return role === 'shared' ? g.rows : role === 'vector' && g.n > 64 ? g.passes(g.sources[k]!.node) : 1;
  },
  // The columns of a lane one after another, then a tree over lanes.
  order: (s) => `${s.width} lanes of ${s.vector}, ${s.shuffle ? 'shuffled' : 'through memory'}`,
  epilogue: true,
};
