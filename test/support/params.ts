// Parameters of a model from tensors in memory, as constants of a graph: for tests.
import * as E from 'fp-ts/lib/Either.js';
import { renderDataError } from '../../src/data/error.ts';
import { floatsFromBf16, floatsFromF16, readAllValues, type TensorData } from '../../src/data/safetensors/index.ts';
import { tensor } from '../../src/dsl/ops/inputs.ts';
import { isParamSpec, type ParamSpec, type ParamsOf } from '../../src/dsl/param.ts';
import { flatten } from '../../src/dsl/tree.ts';
import { type MatchBy, matchParams, renderMismatches } from '../../src/models/load.ts';

export type Tensors = ReadonlyMap<string, TensorData>;

/** Every tensor of a file. Throws Error. */
export const readTensors = async (path: string): Promise<Tensors> => {
  const read = await readAllValues(path)();
  if (E.isLeft(read)) throw new Error(renderDataError(read.left));
  return read.right;
};

/** f32, f16 or bf16 values as f32. */
export const floats = (t: TensorData): Float32Array => {
  if (t.dtype === 'F32') return t.data;
  if (t.dtype === 'F16') return floatsFromF16(t.data);
  if (t.dtype === 'BF16') return floatsFromBf16(t.data);
  throw new Error(`${t.dtype} values are no floats`);
};

const ofRank = (t: TensorData, rank: number): readonly number[] => {
  if (t.shape.length !== rank) throw new Error(`[${t.shape}] is not of rank ${rank}`);
  return t.shape;
};
/** Stored values as constants of a graph, f32 or i32, with their rank in the type. */
export const rank1 = (t: TensorData) => tensor(floats(t), [ofRank(t, 1)[0]!]);
export const rank2 = (t: TensorData) => {
  const [a, b] = ofRank(t, 2);
  return tensor(floats(t), [a!, b!]);
};
export const rank3 = (t: TensorData) => {
  const [a, b, c] = ofRank(t, 3);
  return tensor(floats(t), [a!, b!, c!]);
};
export const rank4 = (t: TensorData) => {
  const [a, b, c, d] = ofRank(t, 4);
  return tensor(floats(t), [a!, b!, c!, d!]);
};
export const ids = (t: TensorData) => {
  if (t.dtype !== 'I32') throw new Error(`${t.dtype} values are no ids`);
  const [a, b] = ofRank(t, 2);
  return tensor(t.data, [a!, b!]);
};

/** The parameters of `spec` from stored tensors. Throws Error naming all that do not fit. */
export const paramsFrom = <P>(spec: P, stored: Tensors, options?: MatchBy): ParamsOf<P> => {
  const matched = matchParams(spec, stored, options);
  if (E.isLeft(matched)) throw new Error(renderMismatches(matched.left));
  const values = matched.right.map(({ name }) => {
    const t = stored.get(name)!;
    return tensor(floats(t), t.shape);
  });
  return flatten<ParamSpec>(spec, isParamSpec).rebuild(values) as ParamsOf<P>;
};

/** The parameters of `spec`, each with the values that `of` gives for its shape and its place among them. */
export const paramsBy = <P>(
  spec: P,
  of: (shape: readonly number[], place: number) => ArrayLike<number>,
): ParamsOf<P> => {
  const flat = flatten<ParamSpec>(spec, isParamSpec);
  const values = flat.leaves.map(({ value: { shape } }, k) => tensor(Float32Array.from(of(shape, k)), shape));
  return flat.rebuild(values) as ParamsOf<P>;
};
