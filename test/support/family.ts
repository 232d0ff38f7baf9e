// The tests that every operation of a family must pass: values and gradients on each backend against the f64 interpreter,
// gradients against finite differences. One graph holds all cases of a draw, so that few programs are compiled.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type DType, isFloat } from '../../src/dsl/core/dtype.ts';
import { isKind, sizeOf, topological } from '../../src/dsl/core/node.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import { boundData, tensor } from '../../src/dsl/ops/inputs.ts';
import { type AnyTensor, unwrap } from '../../src/dsl/tensor.ts';
import { gradients } from '../../src/dsl/transform/pullback.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { agree, encode, everyBackend } from './agree.ts';
import { integers, shapeOf, size, values } from './draw.ts';
import { checkGradients, type Leaf } from './finite.ts';

/** What a case builds its operands from. */
export interface Draw {
  /** Rank 0 to 3; sizes zero and one among them. */
  readonly shape: readonly number[];
  /** Rank 1 to 3, no size zero. */
  readonly full: readonly number[];
  /** Sizes from zero. */
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** A size from one. */
  readonly b: number;
}
export const draws: fc.Arbitrary<Draw> = fc.record({
  shape: shapeOf([0, 3], 0, 5),
  full: shapeOf([1, 3], 1, 5),
  m: size(0, 7),
  n: size(0, 7),
  k: size(0, 7),
  b: size(1, 3),
});
export const empty: Draw = { shape: [3, 0], full: [1], m: 0, n: 3, k: 2, b: 1 };
export const single: Draw = { shape: [], full: [1, 1, 1], m: 1, n: 1, k: 1, b: 1 };
export const odd: Draw = { shape: [3, 1, 5], full: [5, 1, 3], m: 5, n: 7, k: 3, b: 2 };

/** Results of one operation, in as many forms as it has. */
export type Case = (d: Draw) => readonly AnyTensor[];
export type Cases = Readonly<Record<string, Case>>;

/** f32 values in (-1, 1), none near zero; another `salt`, other values. */
export const f32 = <const T extends readonly number[]>(shape: T, salt = 0) =>
  tensor(Float32Array.from(values(sizeOf(shape), 41 + salt)), shape);
export const positive = <const T extends readonly number[]>(shape: T, salt = 0) =>
  tensor(Float32Array.from(values(sizeOf(shape), 51 + salt), Math.abs), shape);
export const f16 = <const T extends readonly number[]>(shape: T, salt = 0) =>
  tensor(Uint16Array.from(encode(values(sizeOf(shape), 61 + salt), 'f16')), shape, 'f16');
export const bf16 = <const T extends readonly number[]>(shape: T, salt = 0) =>
  tensor(Uint16Array.from(encode(values(sizeOf(shape), 71 + salt), 'bf16')), shape, 'bf16');
/** i32 from `from` to below `below`. */
export const i32 = <const T extends readonly number[]>(shape: T, from: number, below: number, salt = 0) =>
  tensor(
    Int32Array.from(integers(sizeOf(shape), below - from, 81 + salt), (v) => v + from),
    shape,
  );
export const u32 = <const T extends readonly number[]>(shape: T, below: number, salt = 0) =>
  tensor(Uint32Array.from(integers(sizeOf(shape), below, 91 + salt)), shape);
export const bool = <const T extends readonly number[]>(shape: T, salt = 0) =>
  tensor(Uint32Array.from(integers(sizeOf(shape), 2, 101 + salt)), shape, 'bool');
interface Labelled {
  readonly label: string;
  readonly name: string;
  readonly node: Node;
}
interface Built {
  readonly name: string;
  readonly roots: readonly Node[];
}
const build = (cases: Cases, d: Draw): readonly Built[] =>
  Object.entries(cases).map(([name, make]) => ({ name, roots: make(d).map(unwrap) }));

const leavesOf = (roots: readonly Node[], dtypes: readonly DType[] = ['f32']): readonly Node[] =>
  topological(roots).filter((n) => isKind(n, 'input') && dtypes.includes(n.dtype) && n.op.role !== 'scalar');

const scalarsOf = (roots: readonly Node[], given: Readonly<Record<string, number>>): readonly Leaf[] =>
  topological(roots).flatMap((node) =>
    isKind(node, 'input') && node.op.role === 'scalar' ? [{ node, at: Float64Array.of(given[node.op.slot]!) }] : [],
  );

/** Gradients of all float results of a case with respect to its float inputs, for fixed cotangents. */
const pulled = ({ name, roots }: Built): readonly Labelled[] => {
  const smooth = roots.filter((r) => isFloat(r.dtype));
  const cts = smooth.map((r, i) => unwrap(tensor(encode(values(sizeOf(r.shape), 7 + i), r.dtype), r.shape, r.dtype)));
  const leaves = leavesOf(smooth, ['f32', 'f16', 'bf16']);
  return gradients(smooth, cts, leaves).map((node, i) => ({ label: `gradient ${i} of ${name}`, name, node }));
};

/** Everything that a draw's cases compute, gradients included. */
export const graphsOf = (cases: Cases, d: Draw): readonly Node[] =>
  build(cases, d).flatMap((c) => [...c.roots, ...pulled(c).map((g) => g.node)]);

export interface FamilyOptions {
  /** Draws that are always tested; by default empty, of one element, and odd. */
  readonly always?: readonly Draw[];
  /** Further draws, by fast-check; 2. */
  readonly numRuns?: number;
  /** Factors on the tolerance by case, where the mathematics amplifies rounding. */
  readonly slack?: Readonly<Record<string, number>>;
  /** Values of scalar inputs by name. */
  readonly scalars?: Readonly<Record<string, number>>;
  /** The WebGPU backend as it would be on another adapter, instead of every backend; without finite differences. */
  readonly adapter?: (b: Backend) => Backend;
  /** Cases of sizes too large for differences; other cases hold the same operations. */
  readonly onlyLarge?: readonly string[];
  /** Cases whose derivative is not the limit of differences (selections by position, rounding on purpose), with the reason. */
  readonly notSmooth?: Readonly<Record<string, string>>;
}

const backendsOf = async (adapter?: (b: Backend) => Backend): Promise<readonly Backend[]> => {
  const all = await everyBackend();
  return adapter ? all.filter((b) => b.caps.target === 'wgsl').map(adapter) : all;
};

/** Finite differences take two evaluations a value: larger draws are left out. */
const MOST_DIFFERENCES = 150;

/** Registers and runs the tests of a family. */
export const testFamily = (family: string, cases: Cases, o: FamilyOptions = {}): void => {
  const test = suite(`operations: ${family}`);
  const scalars = o.scalars ?? {};
  const numRuns = o.numRuns ?? 2;
  const random = numRuns === 0 ? [] : fc.sample(draws, { numRuns, seed: 20240501 });
  const each = (body: (d: Draw) => Promise<void> | void) => async () => {
    for (const d of [...(o.always ?? [empty, single, odd]), ...random])
      try {
        await body(d);
      } catch (e) {
        throw new Error(`for ${JSON.stringify(d)}\n${e instanceof Error ? e.message : String(e)}`, { cause: e });
      }
  };

  const results = (d: Draw): readonly Labelled[] =>
    build(cases, d).flatMap(({ name, roots }) => roots.map((node, i) => ({ label: `${name} ${i}`, name, node })));
  const slopes = (d: Draw): readonly Labelled[] => build(cases, d).flatMap(pulled);
  for (const [what, graph] of [
    ['values', results],
    ['gradients', slopes],
  ] as const)
    test(
      `${what} on every backend`,
      each(async (d) => {
        const all = graph(d);
        if (all.length === 0) return;
        const backends = await backendsOf(o.adapter);
        const [labels, slack] = [all.map((a) => a.label), all.map((a) => o.slack?.[a.name] ?? 1)];
        await agree(
          all.map((a) => a.node),
          { labels, slack, scalars, backends },
        );
      }),
    );

  if (!o.adapter) {
    const seen = new Set<string>();
    const smooth = new Set<string>();
    test(
      'gradients against finite differences',
      each((d) => {
        for (const { name, roots } of build(cases, d))
          for (const [i, root] of roots.entries()) {
            const leaves = root.dtype === 'f32' ? leavesOf([root]) : [];
            if (leaves.length === 0 || o.notSmooth?.[name]) continue;
            smooth.add(name);
            const values = leaves.reduce((n, l) => n + sizeOf(l.shape), 0);
            if (values === 0 || values > MOST_DIFFERENCES) continue;
            seen.add(name);
            try {
              checkGradients(
                [root],
                leaves.map((node) => ({ node, at: Float64Array.from(boundData(node)!) })),
                { second: false, others: scalarsOf([root], scalars) },
              );
            } catch (e) {
              throw new Error(`${name} ${i}: ${e instanceof Error ? e.message : String(e)}`, { cause: e });
            }
          }
      }),
    );
    test('each operation with a gradient had it held against differences', () => {
      const missed = [...smooth].filter((name) => !seen.has(name) && !o.onlyLarge?.includes(name));
      assert.equal(missed, []);
    });
  }
  test.run();
};
