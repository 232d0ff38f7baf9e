// Shape and dtype of every family, from its attributes and sources. Throws DslError naming what does not fit.
import { match } from 'ts-pattern';
import { bytesOf, type DType, isFloat, isInteger } from './dtype.ts';
import { DslError, describe } from './error.ts';
import { fusedCall } from './fused-registry.ts';
import {
  type Binary,
  type ConvSpec,
  type EinSpec,
  isQuantile,
  type MapFn,
  type Op,
  type ReduceFn,
  type Unary,
  type View,
} from './op.ts';
import type { Node, Result } from './types.ts';

type Dims = readonly number[];
const same = (a: Dims, b: Dims): boolean => a.length === b.length && a.every((d, i) => d === b[i]);
const product = (s: Dims): number => s.reduce((a, b) => a * b, 1);
const named = (src: readonly Node[], names: readonly string[] = ['a', 'b', 'c', 'd']) =>
  src.map((node, i) => ({ name: names[i] ?? `src${i}`, node }));

const fail = (op: string, why: string, src: readonly Node[] = [], hint?: string): never => {
  throw new DslError(op, why, named(src), hint);
};

const floatOnly: ReadonlySet<MapFn> = new Set<Unary | Binary>([
  'exp',
  'log',
  'sqrt',
  'rsqrt',
  'recip',
  'tanh',
  'erf',
  'sin',
  'cos',
  'floor',
  'ceil',
  'round',
  'pow',
]);
const numeric: ReadonlySet<MapFn> = new Set<Unary | Binary>([
  'neg',
  'abs',
  'sign',
  'add',
  'sub',
  'mul',
  'div',
  'max',
  'min',
  'mod',
]);
const bitwise: ReadonlySet<MapFn> = new Set<Unary | Binary>(['and', 'or', 'xor', 'not']);
const shifts: ReadonlySet<MapFn> = new Set<Unary | Binary>(['shl', 'shr']);
const comparisons: ReadonlySet<MapFn> = new Set<Unary | Binary>(['lt', 'le', 'eq', 'ne']);

const inferMap = (fn: MapFn, to: DType | undefined, src: readonly Node[]): Result => {
  const first = src[0] ?? fail(fn, 'needs an operand');
  const shape = first.shape;
  if (fn === 'cast' || fn === 'bitcast') {
    if (to === undefined || !(to in bytesOf))
      fail(fn, `${to} is no dtype`, src, `there are ${Object.keys(bytesOf).join(', ')}`);
    return { shape, dtype: to! };
  }
  for (const s of src)
    if (!same(s.shape, shape))
      fail(
        fn,
        `shapes differ: ${src.map(describe).join(', ')}`,
        src,
        'expand one of them, or use bias for a last axis',
      );
  if (isQuantile(fn)) {
    if (first.dtype !== 'u32') fail(fn, `needs random words u32, got ${first.dtype}`, src);
    return { shape, dtype: 'f32' };
  }
  if (fn === 'where') {
    const [c, a, b] = src;
    if (c?.dtype !== 'bool') fail('where', `the condition is ${c?.dtype}, not bool`, src);
    if (a!.dtype !== b!.dtype) fail('where', `branches are ${a!.dtype} and ${b!.dtype}`, src, 'cast one of them');
    return { shape, dtype: a!.dtype };
  }
  const d = first.dtype;
  for (const s of src)
    if (s.dtype !== d) fail(fn, `dtypes differ: ${src.map((x) => x.dtype).join(', ')}`, src, 'cast one of them');
  if (d === 'bf16') fail(fn, 'bf16 is a storage type', src, "cast to 'f32' first");
  if (floatOnly.has(fn) && !isFloat(d)) fail(fn, `needs f32 or f16, got ${d}`, src);
  if (numeric.has(fn) && d === 'bool') fail(fn, 'needs numbers, got bool', src, "cast to 'f32' or 'i32' first");
  if (bitwise.has(fn) && isFloat(d)) fail(fn, `needs bool or an integer, got ${d}`, src);
  if (shifts.has(fn) && !isInteger(d)) fail(fn, `needs an integer, got ${d}`, src);
  if (fn === 'neg' && d === 'u32') fail(fn, 'u32 has no negative', src, "cast to 'i32' first");
  return { shape, dtype: comparisons.has(fn) ? 'bool' : d };
};

const viewShape = (view: View, x: Node): Dims =>
  match(view)
    .with({ v: 'reshape' }, ({ to }) => {
      if (product(to) !== product(x.shape))
        fail('reshape', `${describe(x)} has ${product(x.shape)} elements, [${to}] has ${product(to)}`, [x]);
      return to;
    })
    .with({ v: 'permute' }, ({ perm }) => {
      if (perm.length !== x.shape.length || new Set(perm).size !== perm.length || perm.some((p) => !(p in x.shape)))
        fail('permute', `[${perm}] is no permutation of the ${x.shape.length} axes`, [x]);
      return perm.map((p) => x.shape[p]!);
    })
    .with({ v: 'expand' }, ({ to }) => {
      if (to.length !== x.shape.length || to.some((d, i) => x.shape[i] !== d && x.shape[i] !== 1))
        fail('expand', `${describe(x)} does not expand to [${to}]: only axes of size 1 repeat`, [x]);
      return to;
    })
    .with({ v: 'slice' }, ({ start, stop, step }) =>
      x.shape.map((d, i) => {
        const [a, b, s] = [start[i]!, stop[i]!, step[i]!];
        if (!(a >= 0 && b >= a && b <= d && s >= 1))
          fail('slice', `axis ${i}: ${a}:${b}:${s} is no range of size ${d}`, [x]);
        return Math.ceil((b - a) / s);
      }),
    )
    .with({ v: 'pad' }, ({ before, after, interior }) =>
      x.shape.map((d, i) => {
        const n = before[i]! + after[i]! + d + Math.max(0, d - 1) * interior[i]!;
        if (n < 0) fail('pad', `axis ${i} would get size ${n}`, [x]);
        return n;
      }),
    )
    .with({ v: 'flip' }, ({ axes }) => {
      if (axes.some((a) => !(a in x.shape))) fail('flip', `[${axes}]: no such axis`, [x]);
      return x.shape;
    })
    .with({ v: 'slide' }, { v: 'unslide' }, ({ axis, size }) => x.shape.map((d, i) => (i === axis ? size : d)))
    .exhaustive();

const inferReduce = (by: ReduceFn, axes: Dims, x: Node): Result => {
  if (new Set(axes).size !== axes.length || axes.some((a) => !(a in x.shape)))
    fail(by, `axes [${axes}] of a tensor of rank ${x.shape.length}`, [x]);
  const arg = by === 'argmax' || by === 'argmin';
  if (arg && axes.length !== 1) fail(by, 'takes one axis', [x]);
  if (x.dtype === 'bool' || x.dtype === 'bf16')
    fail(by, `not defined for ${x.dtype}`, [x], "cast to 'f32' or 'i32' first");
  if (by !== 'sum' && by !== 'prod' && axes.some((a) => x.shape[a] === 0))
    fail(by, 'of an axis of size 0 has no value', [x]);
  return { shape: x.shape.filter((_, i) => !axes.includes(i)), dtype: arg ? 'i32' : x.dtype };
};

const inferContract = (spec: EinSpec, [a, b]: readonly Node[]): Result => {
  const src = [a!, b!];
  const sizes = new Map<string, number>();
  const text = `${spec.a},${spec.b}->${spec.out}`;
  for (const [letters, x] of [
    [spec.a, a!],
    [spec.b, b!],
  ] as const) {
    if (letters.length !== x.shape.length)
      fail('einsum', `'${text}': '${letters}' names ${letters.length} axes of ${describe(x)}`, src);
    if (new Set(letters).size !== letters.length)
      fail('einsum', `'${text}': a letter occurs twice in '${letters}'`, src, 'take the diagonal first');
    [...letters].forEach((l, i) => {
      const known = sizes.get(l);
      if (known !== undefined && known !== x.shape[i])
        fail('einsum', `'${text}': index '${l}' is ${known} and ${x.shape[i]}`, src);
      sizes.set(l, x.shape[i]!);
    });
  }
  if (a!.dtype !== b!.dtype) fail('einsum', `dtypes are ${a!.dtype} and ${b!.dtype}`, src, 'cast one of them');
  if (a!.dtype === 'bool' || a!.dtype === 'bf16')
    fail('einsum', `not defined for ${a!.dtype}`, src, "cast to 'f32' first");
  return {
    shape: [...spec.out].map((l) => sizes.get(l) ?? fail('einsum', `'${text}': index '${l}' is in no operand`, src)),
    dtype: a!.dtype,
  };
};

/** Output size of a window of `k` over `n`. */
export const windowCount = (
  n: number,
  k: number,
  stride: number,
  pad: readonly [number, number],
  dilation: number,
): number => Math.max(0, Math.floor((n + pad[0] + pad[1] - dilation * (k - 1) - 1) / stride) + 1);

const inferConv = (c: ConvSpec, [x, w]: readonly Node[]): Result => {
  const src = [x!, w!];
  if (x!.shape.length !== 4 || w!.shape.length !== 4)
    fail('conv2d', 'wants x [N, C, H, W] and w [O, C / groups, kh, kw]', src);
  const [n, ch, h, wd] = x!.shape as readonly [number, number, number, number];
  const [o, ci, kh, kw] = w!.shape as readonly [number, number, number, number];
  if (ci * c.groups !== ch || o % c.groups !== 0)
    fail('conv2d', `x has ${ch} channels; w takes ${ci} in each of ${c.groups} groups and gives ${o}`, src);
  if (x!.dtype !== w!.dtype) fail('conv2d', `dtypes are ${x!.dtype} and ${w!.dtype}`, src, 'cast one of them');
  return {
    shape: [
      n,
      o,
      windowCount(h, kh, c.stride[0], c.padding[0], c.dilation[0]),
      windowCount(wd, kw, c.stride[1], c.padding[1], c.dilation[1]),
    ],
    dtype: x!.dtype,
  };
};

const index32 = (op: string, i: Node, src: readonly Node[]): void => {
  if (i.dtype !== 'i32') fail(op, `the index is ${i.dtype}, not i32`, src, "cast it to 'i32'");
};

const inferGather = (batch: number, [x, i]: readonly Node[]): Result => {
  const src = [x!, i!];
  index32('gather', i!, src);
  if (!same(x!.shape.slice(0, batch), i!.shape.slice(0, batch)) || x!.shape.length <= batch)
    fail('gather', `the first ${batch} axes of x and index must agree, and x needs one more`, src);
  return { shape: [...i!.shape, ...x!.shape.slice(batch + 1)], dtype: x!.dtype };
};

const inferScatter = (batch: number, combine: 'set' | 'add', [base, i, u]: readonly Node[]): Result => {
  const src = [base!, i!, u!];
  index32('scatter', i!, src);
  const want = [...i!.shape, ...base!.shape.slice(batch + 1)];
  if (!same(base!.shape.slice(0, batch), i!.shape.slice(0, batch)) || !same(u!.shape, want))
    fail('scatter', `updates are [${u!.shape}], index and base ask for [${want}]`, src);
  if (u!.dtype !== base!.dtype) fail('scatter', `updates are ${u!.dtype}, base is ${base!.dtype}`, src);
  if (combine === 'add' && (base!.dtype === 'bf16' || base!.dtype === 'bool'))
    fail('scatter', `${base!.dtype} has no sums`, src, "cast to 'f32' or 'i32' first");
  return base!;
};

const inferConcat = (axis: number, src: readonly Node[]): Result => {
  const first = src[0] ?? fail('concat', 'of nothing');
  for (const s of src)
    if (
      s.dtype !== first.dtype ||
      s.shape.length !== first.shape.length ||
      s.shape.some((d, i) => i !== axis && d !== first.shape[i]) ||
      !(axis in s.shape)
    )
      fail('concat', `along axis ${axis}: ${src.map(describe).join(', ')}`, src);
  return {
    shape: first.shape.map((d, i) => (i === axis ? src.reduce((n, s) => n + s.shape[axis]!, 0) : d)),
    dtype: first.dtype,
  };
};

const checkSize = (r: Result, what: string): Result => {
  for (const d of r.shape)
    if (!Number.isInteger(d) || d < 0) fail(what, `shape [${r.shape}]: sizes are whole numbers from 0`);
  if (product(r.shape) > 0x7fffffff)
    fail(what, `${describe(r)} has ${product(r.shape)} elements: indices are 32-bit, at most ${0x7fffffff}`);
  return r;
};

const nameOf = (op: Op): string =>
  op.kind === 'fused' ? op.call : op.kind === 'view' ? op.view.v : op.kind === 'map' ? op.fn : op.kind;

/** Results of `op` over `src`. */
export const infer = (op: Op, src: readonly Node[]): readonly Result[] => {
  const one = match<Op, Result | readonly Result[]>(op)
    .with({ kind: 'map' }, ({ fn, to }) => inferMap(fn, to, src))
    .with({ kind: 'view' }, ({ view }) => ({ shape: viewShape(view, src[0]!), dtype: src[0]!.dtype }))
    .with({ kind: 'const' }, ({ dtype }) => ({ shape: [], dtype }))
    .with({ kind: 'reduce' }, ({ by, axes }) => inferReduce(by, axes, src[0]!))
    .with({ kind: 'contract' }, ({ spec }) => inferContract(spec, src))
    .with(
      { kind: 'pick' },
      ({ index }) => src[0]!.outs[index] ?? fail('pick', `result ${index} of ${src[0]!.outs.length}`),
    )
    .with({ kind: 'fused' }, ({ call, attrs }) => fusedCall(call).infer(attrs, src))
    .with({ kind: 'input' }, ({ shape, dtype }) => ({ shape, dtype }))
    .with({ kind: 'iota' }, ({ shape }) => ({ shape, dtype: 'i32' as const }))
    .with({ kind: 'random' }, ({ shape }) =>
      same(src[0]!.shape, [2]) && src[0]!.dtype === 'u32'
        ? { shape, dtype: 'u32' as const }
        : fail('random', 'the key is u32[2]', src),
    )
    .with({ kind: 'concat' }, ({ axis }) => inferConcat(axis, src))
    .with({ kind: 'conv' }, ({ conv }) => inferConv(conv, src))
    .with({ kind: 'gather' }, ({ batch }) => inferGather(batch, src))
    .with({ kind: 'scatter' }, ({ batch, combine }) => inferScatter(batch, combine, src))
    .with({ kind: 'cumulate' }, ({ axis }) =>
      axis in src[0]!.shape ? src[0]! : fail('cumulativeSum', `no axis ${axis}`, src),
    )
    .with({ kind: 'sort' }, () =>
      src[0]!.shape.length > 0 ? { shape: src[0]!.shape, dtype: 'i32' as const } : fail('sort', 'of a scalar', src),
    )
    .with({ kind: 'mark' }, () => src[0]!)
    .exhaustive();
  const results: readonly Result[] = 'shape' in one ? [one] : one;
  return results.map((r) => checkSize({ shape: r.shape, dtype: r.dtype }, nameOf(op)));
};
