// Values for the operands of a measured call: whole numbers, whose sums are exact in any order, and fractions, whose sums are not.
import * as E from 'fp-ts/lib/Either.js';
import { compileGraph } from '../../compiler/compile.ts';
import { renderCompileError } from '../../compiler/error.ts';
import { cast, input } from '../../dsl/core/build.ts';
import type { DType, HostArray } from '../../dsl/core/dtype.ts';
import { sizeOf } from '../../dsl/core/node.ts';
import type { Node } from '../../dsl/core/types.ts';
import { orThrow } from '../attempt.ts';
import type { Backend, DeviceBuffer } from '../backend.ts';
import { CompileFailure } from '../evaluate.ts';

export type Values = 'whole' | 'fractions';

/** A sequence of each seed that looks random: of operand `k`, in [0, 1). */
const draw = (i: number, k: number, seed: number): number => {
  let x = Math.imul(i + 1, 0x9e3779b1) ^ Math.imul(k + 1, 0x85ebca6b) ^ Math.imul(seed, 0xc2b2ae35);
  x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d);
  x = Math.imul(x ^ (x >>> 12), 0x297a2d39);
  return ((x ^ (x >>> 15)) >>> 0) / 2 ** 32;
};

/** Runs a graph over one input. */
const through = async (backend: Backend, from: DeviceBuffer, graph: (x: Node) => Node): Promise<DeviceBuffer> => {
  const x = input('x', from.shape, from.dtype);
  const made = compileGraph({ inputs: [{ node: x, donated: false }], outputs: [graph(x)] }, backend.caps);
  if (E.isLeft(made)) throw new CompileFailure(renderCompileError(made.left));
  const executable = await orThrow(backend.load(made.right));
  const [out] = await orThrow(executable.run([from], {}));
  executable.dispose();
  return out!;
};

/** A buffer in another dtype; `from` is freed. */
const converted = async (backend: Backend, from: DeviceBuffer, dtype: DType): Promise<DeviceBuffer> => {
  if (from.dtype === dtype) return from;
  const out = await through(backend, from, (x) => cast(x, dtype));
  from.free();
  return out;
};

const behindViews = (x: Node): Node => (x.op.kind === 'view' ? behindViews(x.src[0]!) : x);

/** Of a sum over runs: where runs of equal length start, and in which order updates are taken. null for other operands. */
const runs = (n: Node, { op, src }: Node): Int32Array | null => {
  if (op.kind !== 'fused' || op.call !== 'segmentCombine') return null;
  const [starts, order] = [src[1]!, src[2]!].map(behindViews);
  const count = src[2]!.shape[0]!;
  const length = sizeOf(n.shape);
  if (n === starts) return Int32Array.from({ length }, (_, i) => Math.floor((i * count) / (length - 1)));
  return n === order ? Int32Array.from({ length }, (_, i) => (i * 7919) % count) : null;
};

/** Places are in range of every axis of the result; a single number is a length, and long enough. */
const places = (n: Node, call: Node): Int32Array => {
  const ordered = runs(n, call);
  if (ordered) return ordered;
  const range = Math.min(...call.outs[0]!.shape, ...call.src[0]!.shape);
  const longest = Math.max(...call.src.flatMap((s) => s.shape));
  return n.shape.length === 0
    ? Int32Array.of(longest)
    : Int32Array.from({ length: sizeOf(n.shape) }, (_, i) => i % Math.max(1, range));
};

/** Operands of a call on the device, the same ones of a seed every time. */
export const makeOperands = (
  backend: Backend,
  call: Node,
  inputs: readonly Node[],
  values: Values,
  seed = 0,
): Promise<readonly DeviceBuffer[]> =>
  Promise.all(
    inputs.map(async (n, k): Promise<DeviceBuffer> => {
      if (n.dtype === 'i32') return orThrow(backend.upload(places(n, call), n.shape, 'i32'));
      if (n.dtype === 'u32' || n.dtype === 'bool')
        return orThrow(backend.upload(new Uint32Array(places(n, call)), n.shape, n.dtype));
      const value =
        values === 'whole'
          ? (i: number) => Math.floor(draw(i, k, seed) * 7) - 3
          : (i: number) => draw(i, k, seed) * 2 - 1;
      const floats = Float32Array.from({ length: sizeOf(n.shape) }, (_, i) => value(i));
      return converted(backend, await orThrow(backend.upload(floats, n.shape, 'f32')), n.dtype);
    }),
  );

/** Values of a buffer, which is freed. */
export const readValues = async (backend: Backend, buffer: DeviceBuffer): Promise<HostArray> => {
  const wide = buffer.dtype === 'f16' || buffer.dtype === 'bf16' ? await converted(backend, buffer, 'f32') : buffer;
  const values = await orThrow(wide.read);
  wide.free();
  return values;
};
