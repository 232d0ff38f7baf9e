// Reductions: the axes that go, those kept with size 1, axes that are not there, and dtypes.
import { pipe } from 'fp-ts/lib/function.js';
import { all, argmax, logsumexp, max, mean, std, sum, variance } from '../../../src/dsl/ops/reduce.ts';
import { sub } from '../../../src/dsl/ops/elementwise.ts';
import { expand } from '../../../src/dsl/ops/movement.ts';
import type { Dim, Rank3, Shape } from '../../../src/dsl/shape.ts';
import type { Tensor } from '../../../src/dsl/tensor.ts';

declare const x: Tensor<readonly ['batch', 4, 5]>;
declare const n: Tensor<readonly [2, 3], 'i32'>;
declare const flags: Tensor<readonly [2, 3], 'bool'>;
declare const unknown: Tensor<Rank3>;
declare const dynamic: Tensor<readonly number[]>;

// What must compile.
export const whole: Tensor<readonly []> = sum(x);
export const lastAxis: Tensor<readonly ['batch', 4]> = mean(x, -1);
export const firstAxis: Tensor<readonly [4, 5]> = max(x, 0);
export const several: Tensor<readonly [4]> = sum(x, [0, 2]);
export const kept: Tensor<readonly ['batch', 1, 5]> = sum(x, 1, { keepDims: true });
export const keptSeveral: Tensor<readonly [1, 4, 1]> = sum(x, [0, -1], { keepDims: true });
export const piped: Tensor<readonly ['batch', 4]> = pipe(x, logsumexp(-1));
export const position: Tensor<readonly ['batch', 4], 'i32'> = argmax(x);
export const positionPiped: Tensor<readonly [4, 5], 'i32'> = pipe(x, argmax(0));
export const integers: Tensor<readonly [2], 'i32'> = sum(n, 1);
export const every: Tensor<readonly [3], 'bool'> = all(flags, 0);
export const sample: Tensor<readonly ['batch', 4]> = variance(x, -1, { correction: 1 });
export const unknownSizes: Tensor<readonly [number, number]> = std(unknown, 1);
export const anyRank: Tensor<Shape> = sum(dynamic, 3);
export const centre = <S extends Shape, N extends Dim>(v: Tensor<readonly [...S, N]>): Tensor<readonly [...S]> =>
  mean(v, -1);
export const pool = <B extends Dim, T extends Dim, C extends Dim>(
  v: Tensor<readonly [B, T, C]>,
): Tensor<readonly [B, C]> => mean(v, 1);
export const scalarLoss = <S extends Shape>(v: Tensor<S>): Tensor<readonly []> => mean(v);

// What must not.
// error: sum: no axis 3 in [batch,4,5]
export const beyond = sum(x, 3);
// error: mean: no axis -4 in [batch,4,5]
export const before = pipe(x, mean(-4));
// error: mean: the axis comes as a number or a list: mean(x, -1), mean(x, [0, 2], { keepDims: true })
export const named = mean(x, { axis: 1 });
// error: sum: the axis comes as a number or a list
export const namedPiped = pipe(x, sum({ axis: 1 }));
// error: std: the axis comes as a number or a list
export const optionsFirst = std(x, { correction: 1 });
// error: argmax: no axis 3 in [batch,4,5]
export const argBeyond = argmax(x, 3);
// error: sum: no axis 3 in [batch,4,5]
export const listed = sum(x, [0, 3]);
// error: Type '"i32"' is not assignable to type '"f16" | "f32"'
export const integerMean = mean(n);
// error: Type '"bool"' is not assignable to type '"f16" | "f32" | "i32" | "u32"'
export const boolSum = sum(flags);
// error: "f32"' is not assignable to type '"bool"'
export const floatAll = all(x);
// error: sub: shapes [batch,4,5] and [batch,4] differ
export const broadcast = sub(x, mean(x, -1));
// error: 'correction' does not exist
export const option = sum(x, -1, { correction: 1 });
// error: is not assignable to type
export const wrongResult: Tensor<readonly ['batch', 5]> = sum(x, -1);
// error: is not assignable to type 'readonly [4, 5]'
export const keptResult: Tensor<readonly [4, 5]> = sum(x, 0, { keepDims: true });
export const genericResult = <B extends Dim, C extends Dim>(v: Tensor<readonly [B, C]>) => {
  // error: is not assignable to type 'Tensor<readonly [B], "f32">'
  const y: Tensor<readonly [B]> = mean(v, 0);
  return y;
};
export const expanded: Tensor<readonly ['batch', 4, 5]> = sub(x, expand(mean(x, -1, { keepDims: true }), [-1, -1, 5]));
