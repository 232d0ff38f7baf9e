// Run-time scalars as the 32-bit words that kernels read.
import type { Scalar } from '../compiler/ir/expr.ts';
import type { Program } from '../compiler/program.ts';
import { type DType, highest, isFloat, lowest } from '../dsl/core/dtype.ts';
import { badInput } from './attempt.ts';

/** What a scalar of this dtype takes, where this value would be cut off. */
export const unfit = (value: number, dtype: DType): string | null =>
  isFloat(dtype) || (Number.isInteger(value) && lowest[dtype] <= value && value <= highest[dtype])
    ? null
    : `a whole number from ${lowest[dtype]} to ${highest[dtype]} is wanted`;

/** Values in the program's order; throws BadInput where one is missing. */
export const scalarValues = (program: Program, given: Readonly<Record<string, number>>, into: Float64Array): void => {
  for (let i = 0; i < program.scalars.length; i++) {
    const name = program.scalars[i]!;
    const value = given[name];
    if (value === undefined)
      throw badInput(`run: no value for the scalar '${name}'; the program takes ${program.scalars.join(', ')}`);
    into[i] = value;
  }
};

/** Where each scalar of a step stands among the program's. */
export const scalarSources = (program: Program, names: readonly string[]): readonly number[] =>
  names.map((name) => {
    const at = program.scalars.indexOf(name);
    if (at < 0) throw badInput(`load: a step reads the scalar '${name}', which the program does not declare`);
    return at;
  });

export class ScalarWords {
  readonly words: Uint32Array<ArrayBuffer>;
  readonly #floats: Float32Array;

  constructor(length: number) {
    this.words = new Uint32Array(length);
    this.#floats = new Float32Array(this.words.buffer);
  }

  set(at: number, value: number, scalar: Scalar): void {
    if (scalar === 'f32') this.#floats[at] = value;
    else this.words[at] = value;
  }
}
