// Pulled indices: the value of a node at given coordinates, as an expression over loads of materialised nodes.
import { isQuantile, type View } from '../../dsl/core/op.ts';
import type { Node } from '../../dsl/core/types.ts';
import { castValue, computeType } from '../ir/cast.ts';
import { bitcastTo, call, type Expr, int, lit, load, scalarInput, scalarType, where } from '../ir/expr.ts';
import { add, delinearise, div, linearise, mod, mul, sub, within } from '../ir/index-math.ts';
import { quantileOf } from '../ir/quantile.ts';

export type Coords = readonly Expr[];
export { computeType } from '../ir/cast.ts';

export interface Sources {
  /** Binding of a materialised node, or undefined for one that is computed in place. */
  readonly bindingOf: (n: Node) => number | undefined;
  /** The value of a kernel's own reduction or template result. */
  readonly given: ReadonlyMap<Node, Expr>;
}

interface Place {
  readonly at: Coords;
  /** Where false the value is `fill`; null: everywhere valid. */
  readonly valid: Expr | null;
  readonly fill: number;
}
const everywhere = (at: Coords): Place => ({ at, valid: null, fill: 0 });

/** Coordinates in the source of a view, for coordinates in its result. A plain switch: this runs for every element of a kernel's text. */
export const pullView = (view: View, at: Coords, from: readonly number[], to: readonly number[]): Place => {
  switch (view.v) {
    case 'reshape':
      return everywhere(delinearise(linearise(at, to), from));
    case 'permute':
      return everywhere(from.map((_, i) => at[view.perm.indexOf(i)]!));
    case 'expand':
      return everywhere(from.map((d, i) => (d === 1 ? int(0) : at[i]!)));
    case 'slice':
      return everywhere(at.map((x, i) => add(mul(x, int(view.step[i]!)), int(view.start[i]!))));
    case 'flip':
      return everywhere(at.map((x, i) => (view.axes.includes(i) ? sub(int(from[i]! - 1), x) : x)));
    case 'pad':
      return pullPad(view, at, from);
    case 'slide': {
      const { axis, window, stride, dilation } = view;
      const here = add(mul(at[axis]!, int(stride)), mul(at[window]!, int(dilation)));
      return everywhere(at.map((x, i) => (i === axis ? here : x)));
    }
    case 'unslide': {
      const { axis, window, stride, dilation } = view;
      const t = sub(at[axis]!, mul(at[window]!, int(dilation)));
      const inside = within(t, 0, (from[axis]! - 1) * stride + 1);
      const valid = stride === 1 ? inside : call('and', inside, call('eq', mod(t, stride), int(0)));
      return { at: at.map((x, i) => (i === axis ? div(t, stride) : x)), valid, fill: 0 };
    }
  }
};

const pullPad = (
  { before, interior, fill }: Extract<View, { readonly v: 'pad' }>,
  at: Coords,
  from: readonly number[],
): Place => {
  let valid: Expr | null = null;
  const require = (c: Expr): void => {
    valid = valid === null ? c : call('and', valid, c);
  };
  const inner = at.map((x, i) => {
    const [n, b, k] = [from[i]!, before[i]!, interior[i]! + 1];
    const t = sub(x, int(b));
    const end = n === 0 ? 0 : (n - 1) * k + 1;
    if (t.lo < 0 || t.hi >= end) require(within(t, 0, end));
    if (k > 1) require(call('eq', mod(t, k), int(0)));
    return div(t, k);
  });
  return { at: inner, valid, fill };
};

/** Coordinates in the result of a bijective view, for coordinates in its source. */
export const pushView = (view: View, at: Coords, from: readonly number[], to: readonly number[]): Coords | null => {
  if (view.v === 'reshape') return delinearise(linearise(at, from), to);
  return view.v === 'permute' ? view.perm.map((p) => at[p]!) : null;
};

export class Lowering {
  readonly #sources: Sources;
  readonly #memo = new Map<Node, Map<string, Expr>>();
  constructor(sources: Sources) {
    this.#sources = sources;
  }

  /** Element of a materialised node. */
  element(binding: number, n: Node, at: Coords): Expr {
    return load(binding, linearise(at, n.shape), scalarType(computeType(n.dtype)));
  }

  valueAt = (n: Node, at: Coords): Expr => {
    const given = this.#sources.given.get(n);
    if (given) return given;
    const key = at.map((x) => x.id).join(',');
    const memo = this.#memo.get(n) ?? new Map<string, Expr>();
    this.#memo.set(n, memo);
    const known = memo.get(key);
    if (known) return known;
    const binding = this.#sources.bindingOf(n);
    const made = binding !== undefined ? this.element(binding, n, at) : this.#compute(n, at);
    memo.set(key, made);
    return made;
  };

  #compute(n: Node, at: Coords): Expr {
    const type = computeType(n.dtype);
    const { op } = n;
    switch (op.kind) {
      case 'map': {
        if (op.fn === 'cast') return castValue(this.valueAt(n.src[0]!, at), n.src[0]!.dtype, n.dtype);
        if (isQuantile(op.fn)) return quantileOf(op.fn, this.valueAt(n.src[0]!, at));
        if (op.fn === 'bitcast') return bitcastTo(this.valueAt(n.src[0]!, at), type);
        return call(op.fn, ...n.src.map((s) => this.valueAt(s, at)));
      }
      case 'view': {
        const x = n.src[0]!;
        const p = pullView(op.view, at, x.shape, n.shape);
        if (p.valid === null) return this.valueAt(x, p.at);
        if (p.valid.e === 'lit' && p.valid.value === 0) return lit(p.fill, type);
        return where(p.valid, this.valueAt(x, p.at), lit(p.fill, type));
      }
      case 'const':
        return lit(type === 'f32' ? Math.fround(op.value) : op.value, type);
      case 'iota':
        return at[op.axis]!;
      case 'concat':
        return this.#concat(n, op.axis, at);
      case 'gather':
        return this.#gather(n, op.batch, at);
      case 'mark':
        return this.valueAt(n.src[0]!, at);
      case 'input': {
        if (op.role !== 'scalar') break;
        const raw = scalarInput(op.slot, type === 'bool' ? 'u32' : type);
        return type === 'bool' ? call('ne', raw, lit(0, 'u32')) : raw;
      }
    }
    throw new Error(`lower: '${op.kind}' should have been materialised or decomposed`);
  }

  #gather(n: Node, batch: number, at: Coords): Expr {
    const [x, index] = n.src as readonly [Node, Node];
    const rank = index.shape.length;
    const row = this.valueAt(index, at.slice(0, rank));
    const value = this.valueAt(x, [...at.slice(0, batch), row, ...at.slice(rank)]);
    const inside = within(row, 0, x.shape[batch]!);
    return inside.e === 'lit' && inside.value === 1 ? value : where(inside, value, lit(0, computeType(n.dtype)));
  }

  #concat(n: Node, axis: number, at: Coords): Expr {
    let start = n.shape[axis]!;
    let value: Expr | null = null;
    for (let k = n.src.length - 1; k >= 0; k--) {
      const part = n.src[k]!;
      const size = part.shape[axis]!;
      start -= size;
      if (size === 0) continue;
      const begin = start;
      const here = this.valueAt(
        part,
        at.map((x, i) => (i === axis ? sub(x, int(begin)) : x)),
      );
      value = value === null ? here : where(call('lt', at[axis]!, int(start + size)), here, value);
    }
    return value ?? lit(0, computeType(n.dtype));
  }
}
