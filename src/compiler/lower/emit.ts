// A region -> KernelCode: bindings are numbered as they are met; the template or generic schedule supplies the loops.

import { bytesOf } from '../../dsl/core/dtype.ts';
import { describe } from '../../dsl/core/error.ts';
import { sizeOf } from '../../dsl/core/node.ts';
import type { Node } from '../../dsl/core/types.ts';
import type { Block, Emitted, KernelTemplate, Schedule } from '../../kernels/template.ts';
import type { Caps } from '../ir/caps.ts';
import {
  bitcastTo,
  call,
  type Expr,
  i32,
  int,
  lit,
  load,
  rawCall,
  ref,
  type Scalar,
  scalarType,
  u32,
  vec4,
} from '../ir/expr.ts';
import { add, delinearise, difference, divisible, linearise, mul } from '../ir/index-math.ts';
import type { BufferBinding, KernelCode, Stmt } from '../ir/stmt.ts';
import { expressionsOf, visitExprs, visitStmts } from '../ir/walk.ts';
import { isPacked } from '../memory/half.ts';
import { ownCost } from '../partition/cost.ts';
import { isLeaf, type Region } from '../partition/region.ts';
import type { Origin } from '../program.ts';
import { type Coarsening, elementwise, elementwiseRows } from './generic.ts';
import { type Coords, Lowering, pushView } from './lower.ts';
import { type Reduction, reductions } from './reduction.ts';
import { isLight, joinRun, joinRuns, quadsOf } from './vectorise.ts';

export interface EmittedRegion {
  readonly code: KernelCode;
  /** The node behind each binding. */
  readonly bound: readonly Node[];
  readonly origin: Origin;
}

/** Elements from which an invocation takes four neighbouring ones. */
const QUADS_FROM = 4096;

class RegionEmitter {
  readonly #region: Region;
  readonly #stored: ReadonlySet<Node>;
  readonly #caps: Caps;
  readonly bound: Node[] = [];
  readonly written = new Set<number>();
  readonly #index = new Map<Node, number>();
  #names = 0;
  constructor(region: Region, stored: ReadonlySet<Node>, caps: Caps) {
    this.#region = region;
    this.#stored = stored;
    this.#caps = caps;
  }

  #bind(n: Node): number {
    const known = this.#index.get(n);
    if (known !== undefined) return known;
    this.bound.push(n);
    this.#index.set(n, this.bound.length - 1);
    return this.bound.length - 1;
  }

  #bindWritten(n: Node): number {
    const binding = this.#bind(n);
    this.written.add(binding);
    return binding;
  }

  lowering(given: ReadonlyMap<Node, Expr>): Lowering {
    return new Lowering({
      given,
      bindingOf: (n) =>
        !this.#region.members.has(n) && (isLeaf(n) || this.#stored.has(n)) ? this.#bind(n) : undefined,
    });
  }

  /** Stores every output of the region that lives in the space of `root`, at `root`'s coordinates `at`. Further results of a call live alone. */
  storeAll(root: Node, at: Coords, lower: Lowering): readonly Stmt[] {
    const { spaces, outputs } = this.#region;
    const mine = outputs.filter((o) => o === root || (spaces.has(root) && spaces.has(o)));
    return this.#storeEach(
      mine.map((o) => [o, placeOf(o, spaces, at)]),
      lower,
    );
  }

  #storeEach(mine: readonly (readonly [Node, Coords])[], lower: Lowering): readonly Stmt[] {
    const lets: Stmt[] = [];
    const stores = mine.map(([o, at]): Stmt => {
      const value = lower.valueAt(o, at);
      const binding = this.#bindWritten(o);
      const index = linearise(at, o.shape);
      if (mine.length === 1) return { s: 'store', buffer: binding, index, value };
      // An output may take the buffer of an input that a later one still reads: all values come before all stores.
      const name = `stored${this.#names++}`;
      lets.push({ s: 'let', name, value });
      return { s: 'store', buffer: binding, index, value: ref(name, value.type) };
    });
    return [...lets, ...stores];
  }

  elementwise(coarsening?: Coarsening): Emitted {
    const root = this.#region.seed;
    const n = sizeOf(root.shape);
    const lower = this.lowering(new Map());
    const element = (i: Expr): readonly Stmt[] => this.storeAll(root, delinearise(i, root.shape), lower);
    if (!isPacked(root.dtype, this.#caps)) {
      const quad = (first: Expr): readonly Stmt[] =>
        joinRun(
          [0, 1, 2, 3].flatMap((k) => element(add(first, int(k)))),
          this.bound.map((b) => b.dtype),
          quadsOf(this.#caps.target),
        );
      const row = root.shape.at(-1) ?? 1;
      if (this.#caps.target === 'wasm')
        return row % 4 === 0
          ? elementwise(n / 4, this.#caps, (i) => quad(mul(i, int(4))), coarsening)
          : row > 4
            ? elementwiseRows(n / row, row, this.#caps, element, quad)
            : elementwise(n, this.#caps, element, coarsening);
      const quads = this.#caps.target !== 'js' && n >= QUADS_FROM && row % 4 === 0;
      if (!quads || !isLight(element(mul(ref('i', i32, 0, n / 4 - 1), int(4)))))
        return elementwise(n, this.#caps, element, coarsening);
      return elementwise(n / 4, this.#caps, (i) => quad(mul(i, int(4))), coarsening);
    }
    // Two 16-bit elements share a word, so one invocation writes both.
    const binding = this.#bindWritten(root);
    const word = (i: Expr): readonly Stmt[] => {
      const first = mul(i, int(2));
      const last = n % 2 === 0 ? add(first, int(1)) : rawCall('min', [add(first, int(1)), int(n - 1)], i32, 0, n - 1);
      const [a, b] = [first, last].map((k) => lower.valueAt(root, delinearise(k, root.shape))) as [Expr, Expr];
      const value =
        root.dtype === 'f16'
          ? rawCall('packHalf2', [rawCall('vec', [a, b], scalarType('f32', 2))], u32)
          : call(
              'or',
              call('shr', bitcastTo(a, 'u32'), lit(16, 'u32')),
              call('and', bitcastTo(b, 'u32'), lit(0xffff0000, 'u32')),
            );
      return [{ s: 'store', buffer: binding, index: i, value }];
    };
    return elementwise(Math.ceil(n / 2), this.#caps, word, coarsening);
  }

  /** A body with what is read and written of four neighbours as vectors. */
  #joined(body: readonly Stmt[]): readonly Stmt[] {
    return joinRuns(
      body,
      this.bound.map((b) => b.dtype),
      quadsOf(this.#caps.target),
    );
  }

  reductions(all: readonly [Region, ...Region[]]): Emitted & { readonly schedule: string } {
    const source = this.lowering(new Map());
    const of = ({ core }: Region): Reduction => {
      if (core?.op.kind !== 'reduce') throw new Error('emit: not a reduction');
      const { by, axes } = core.op;
      return { node: core, by, axes, source: (at) => source.valueAt(core.src[0]!, at) };
    };
    const [first, ...rest] = all;
    const emitted = reductions(
      [of(first), ...rest.map(of)],
      (i, values) => {
        const given = new Map(all.map(({ core }, k) => [core!, values[k]!]));
        const places = all.flatMap(({ core, outputs, spaces }) => {
          const at = delinearise(i, core!.shape);
          return outputs.map((o) => [o, placeOf(o, spaces, at)] as const);
        });
        return this.#storeEach(places, this.lowering(given));
      },
      this.#caps,
    );
    return this.#caps.target === 'wasm' ? { ...emitted, body: this.#joined(emitted.body) } : emitted;
  }

  template(core: Node, t: KernelTemplate, schedule: Schedule): Emitted {
    const source = this.lowering(new Map());
    const results =
      core.op.kind === 'fused'
        ? new Map(
            [...this.#region.members].flatMap((m) =>
              m.op.kind === 'pick' && m.src[0] === core ? [[m.op.index, m] as const] : [],
            ),
          )
        : new Map([[0, core]]);
    const block: Block = {
      // An operand that is updated in place is read where it is written: one buffer has one binding.
      load: (k, at) =>
        k === t.updates ? source.element(this.#bindWritten(core), core, at) : source.valueAt(core.src[k]!, at),
      loadVector: (k, at, axis, count) => {
        const each = Array.from({ length: count }, (_, j) =>
          source.valueAt(
            core.src[k]!,
            at.map((x, i) => (i === axis ? add(x, int(j)) : x)),
          ),
        );
        return vectorOf(each, quadsOf(this.#caps.target).aligned);
      },
      store: (r, at, value) => {
        const node = results.get(r);
        if (!node) return [];
        return this.storeAll(node, at, this.lowering(new Map([[node, value]])));
      },
    };
    const emitted = t.emit(core, schedule, block, this.#caps);
    return this.#caps.target !== 'js' ? { ...emitted, body: this.#joined(emitted.body) } : emitted;
  }
}

/** Neighbouring loads of one buffer as a single vector load, anything else as a vector of scalars. */
const vectorOf = (each: readonly Expr[], aligned: boolean): Expr => {
  const first = each[0]!;
  const together =
    first.e === 'load' &&
    each.length === 4 &&
    (!aligned || divisible(first.index, 4)) &&
    each.every((e, j) => e.e === 'load' && e.buffer === first.buffer && difference(first.index, e.index) === j);
  if (first.e === 'load' && together) return load(first.buffer, first.index, scalarType(first.type.scalar, 4));
  return each.length === 4 ? vec4(each) : rawCall('vec', each, scalarType(first.type.scalar, 2));
};

const scalarsOf = (body: readonly Stmt[]): KernelCode['scalars'] => {
  const found = new Map<string, Scalar>();
  const roots: Expr[] = [];
  visitStmts(body, (s) => {
    roots.push(...expressionsOf(s));
  });
  visitExprs(roots, (e) => {
    if (e.e === 'scalar') found.set(e.slot, e.type.scalar);
  });
  return [...found].map(([slot, scalar]) => ({ slot, scalar }));
};

/** Coordinates of a member of a region from those of its root. */
const placeOf = (n: Node, spaces: Region['spaces'], at: Coords): Coords =>
  (spaces.get(n) ?? []).reduce((here, step) => pushView(step.view, here, step.from, step.to)!, at);

const labelOf = (region: Region): string => {
  const n = region.core ?? region.outputs.at(-1)!;
  const op = n.op;
  const name =
    op.kind === 'map'
      ? op.fn
      : op.kind === 'reduce'
        ? op.by
        : op.kind === 'fused'
          ? op.call
          : op.kind === 'contract'
            ? `contract ${op.spec.a},${op.spec.b}->${op.spec.out}`
            : op.kind === 'view'
              ? op.view.v
              : op.kind;
  return `${name} ${describe(region.outputs[0]!)}`;
};

/** The nodes that the region computes itself. */
const computedBy = (region: Region, loaded: ReadonlySet<Node>): readonly Node[] => {
  const seen = new Set<Node>();
  const stack = [...region.outputs];
  while (stack.length > 0) {
    const n = stack.pop()!;
    if (seen.has(n) || (loaded.has(n) && !region.members.has(n))) continue;
    seen.add(n);
    stack.push(...n.src);
  }
  return [...seen];
};

/** The kernel of a region. `stored` are the nodes that have a buffer. */
export const emitRegion = (
  region: Region,
  stored: ReadonlySet<Node>,
  template: KernelTemplate | undefined,
  schedule: Schedule | undefined,
  caps: Caps,
  coarsening?: Coarsening,
): EmittedRegion => {
  const emitter = new RegionEmitter(region, stored, caps);
  const generic = region.core && !template ? emitter.reductions(region.siblings ?? [region]) : null;
  const made: Emitted =
    template && region.core
      ? emitter.template(region.core, template, schedule ?? {})
      : (generic ?? emitter.elementwise(coarsening));
  const buffers: BufferBinding[] = emitter.bound.map((n, i) => ({
    name: `b${i}`,
    dtype: n.dtype,
    access: emitter.written.has(i) ? 'read_write' : 'read',
    length: sizeOf(n.shape),
  }));
  const seed = region.core ?? region.outputs.at(-1)!;
  const computed = computedBy(region, stored);
  const own = template && region.core ? template.work(region.core) : { flops: 0, bytes: 0 };
  const extra = computed.reduce(
    (f, n) =>
      f +
      (n === region.core && template
        ? 0
        : n.op.kind === 'reduce'
          ? sizeOf(n.src[0]!.shape)
          : ownCost(n) * sizeOf(n.shape)),
    0,
  );
  return {
    code: {
      label: labelOf(region),
      buffers,
      scalars: scalarsOf(made.body),
      workgroupSize: made.workgroupSize,
      groups: made.groups,
      arrays: made.arrays ?? [],
      subgroups: made.subgroups ?? false,
      body: made.body,
    },
    bound: emitter.bound,
    origin: {
      label: labelOf(region),
      why: region.why,
      site: seed.site(),
      path: seed.path,
      schedule: template
        ? `${template.name}@${template.version} ${JSON.stringify(schedule)}`
        : (generic?.schedule ?? `elementwise${coarsening ? ` ${JSON.stringify(coarsening)}` : ''}`),
      flops: own.flops + extra,
      bytes: emitter.bound.reduce((b, n) => b + sizeOf(n.shape) * bytesOf[n.dtype], 0),
    },
  };
};
