// Values of typed tensors through the f64 interpreter, tensors from formulas, and comparison: for tests of the language.
import * as assert from 'uvu/assert';
import { sizeOf } from '../../src/dsl/core/node.ts';
import { data } from '../../src/dsl/ops/inputs.ts';
import type { ShapeOf } from '../../src/dsl/shape.ts';
import { type AnyTensor, type Tensor, unwrap } from '../../src/dsl/tensor.ts';
import { interpret } from './interpret.ts';

const given = new Map<string, readonly number[]>();

/** Positions of a shape in row-major order. */
export const positions = (shape: readonly number[]): readonly (readonly number[])[] =>
  shape.reduce<readonly (readonly number[])[]>(
    (all, d) => all.flatMap((p) => Array.from({ length: d }, (_, i) => [...p, i])),
    [[]],
  );

/** An input of doubles: the interpreter keeps all their digits. Equal names must have equal shapes. */
export const doubles = <const T extends readonly number[]>(
  name: string,
  shape: T,
  f: (at: readonly number[], flat: number) => number = (_, i) => Math.sin(1.7 * i + name.length) * 2,
): Tensor<ShapeOf<T>> => {
  given.set(name, positions(shape).map(f));
  return data(name, shape);
};

export const valuesOf = (x: AnyTensor): readonly number[] => [...interpret([unwrap(x)], given)[0]!];

export const close = (x: AnyTensor, wanted: readonly number[], tolerance = 1e-9): void => {
  const got = valuesOf(x);
  assert.is(got.length, wanted.length, `${got.length} values, wanted ${wanted.length}`);
  got.forEach((v, i) => {
    const w = wanted[i]!;
    if (!(Math.abs(v - w) <= tolerance * Math.max(1, Math.abs(w))))
      assert.unreachable(`value ${i} is ${v}, wanted ${w}`);
  });
};

/** Checks the shape, and each value against a formula of its position. */
export const closeAt = (
  x: AnyTensor,
  shape: readonly number[],
  f: (at: readonly number[]) => number,
  tolerance?: number,
): void => {
  assert.equal([...x.shape], [...shape]);
  close(x, positions(shape).map(f), tolerance);
};

/** Reads a tensor by position. */
export const reader = (x: AnyTensor): ((...at: readonly number[]) => number) => {
  const values = valuesOf(x);
  const strides = x.shape.map((_, i) => sizeOf(x.shape.slice(i + 1)));
  return (...at) => {
    const v = values[at.reduce((n, p, i) => n + p * strides[i]!, 0)];
    if (v === undefined) throw new Error(`no value at [${at}] of [${x.shape}]`);
    return v;
  };
};

/** Asserts that `f` throws a DslError whose text has all of `parts`. */
export const refuses = (f: () => unknown, ...parts: readonly string[]): void => {
  try {
    f();
  } catch (e) {
    for (const p of parts) assert.ok(String(e).includes(p), `'${p}' is not in:\n${String(e)}`);
    assert.is(e instanceof Error && e.name, 'DslError');
    return;
  }
  assert.unreachable('nothing was thrown');
};
