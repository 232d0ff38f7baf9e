// Mapping: every family equals the loop over examples, and commutes with differentiation.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as b from '../../../src/dsl/core/build.ts';
import { sizeOf } from '../../../src/dsl/core/node.ts';
import type { Node } from '../../../src/dsl/core/types.ts';
import * as f from '../../../src/dsl/fused/index.ts';
import { checkpointNodes } from '../../../src/dsl/transform/checkpoint.ts';
import { customVjpNodes } from '../../../src/dsl/transform/custom.ts';
import { type NodeFn, vjpNodes } from '../../../src/dsl/transform/grad.ts';
import { vmapNodes } from '../../../src/dsl/transform/vmap.ts';
import { close, integers, values } from '../../support/draw.ts';
import { interpret } from '../../support/interpret.ts';

const test = suite('vmap');

interface Argument {
  readonly shape: readonly number[];
  /** Values in [-1, limit): indices, some of them out of range. */
  readonly limit?: number;
  readonly key?: true;
}
interface Case {
  readonly name: string;
  readonly args: readonly Argument[];
  readonly run: NodeFn;
}

const one =
  (run: (...xs: readonly Node[]) => Node): NodeFn =>
  (...xs) => [run(...xs)];
const conv = (groups: number) =>
  ({
    stride: [2, 1],
    padding: [
      [1, 0],
      [1, 1],
    ],
    dilation: [1, 2],
    groups,
  }) as const;
const v4 = (...shape: readonly number[]): Argument => ({ shape });
const straight = customVjpNodes(
  (x, w) => b.mul(b.map('floor', b.scale(x!, 4)), w!),
  ([x, w], _, ct) => [b.mul(ct, w!), b.mul(ct, x!)],
);

const cases: readonly Case[] = [
  {
    name: 'maps, views, reductions',
    args: [v4(2, 3), v4(2, 3)],
    run: one((x, y) => b.sum(b.mul(b.flip(b.pad(x!, [1, 0], [0, 2], 2, [1, 0]), [0]), b.pad(y!, [0, 0], [2, 2])), [0])),
  },
  {
    name: 'permute, slice, expand',
    args: [v4(3, 2)],
    run: one((x) => b.expand(b.unsqueeze(b.permute(b.sliceAxis(x!, 0, 0, 3, 2), [1, 0]), 1), [2, 4, 2])),
  },
  {
    name: 'slide',
    args: [v4(5)],
    run: one((x) => b.unslide(b.slide(b.expand(b.unsqueeze(x!, 1), [5, 2]), 0, 1, 2, 1, 2), 0, 1, 1, 1, 3)),
  },
  { name: 'concat', args: [v4(2, 1), v4(2, 2)], run: one((x, y) => b.concat([x!, y!], 1)) },
  { name: 'cumulate', args: [v4(2, 3)], run: one((x) => b.cumulate(x!, 1, true)) },
  { name: 'sort', args: [v4(4)], run: one((x) => b.gather(x!, b.argsort(x!, true), 0)) },
  { name: 'contract', args: [v4(2, 3), v4(3, 2)], run: one((x, y) => b.einsum('ij,jk->ki', x!, y!)) },
  { name: 'conv', args: [v4(2, 4, 4, 3), v4(6, 2, 2, 2)], run: one((x, w) => b.conv2d(x!, w!, conv(2))) },
  { name: 'gather', args: [v4(3, 2), { shape: [2, 2], limit: 4 }], run: one((x, i) => b.gather(x!, i!, 0)) },
  {
    name: 'gather in a batch',
    args: [v4(2, 3, 2), { shape: [2, 2], limit: 4 }],
    run: one((x, i) => b.gather(x!, i!, 1)),
  },
  {
    name: 'scatter add',
    args: [v4(3, 2), { shape: [2], limit: 4 }, v4(2, 2)],
    run: one((x, i, u) => b.scatter(x!, i!, u!, 'add')),
  },
  {
    name: 'scatter set',
    args: [v4(3, 2), { shape: [4], limit: 4 }, v4(4, 2)],
    run: one((x, i, u) => b.scatter(x!, i!, u!, 'set')),
  },
  {
    name: 'random',
    args: [{ shape: [2], key: true }, v4(2, 3)],
    run: one((k, x) => b.mul(x!, b.cast(b.shr(b.randomBits(k!, [2, 3]), b.full(16, [2, 3], 'u32')), 'f32'))),
  },
  { name: 'softmax', args: [v4(2, 3)], run: one((x) => f.softmax(x!)) },
  { name: 'layer norm', args: [v4(2, 3), v4(3), v4(3)], run: one((x, w, c) => f.layerNorm(x!, w!, c!, 0.1)) },
  { name: 'rms norm', args: [v4(2, 3), v4(3)], run: one((x, w) => f.rmsNorm(x!, w!, 0.1)) },
  { name: 'group norm', args: [v4(2, 4, 3), v4(4), v4(4)], run: one((x, w, c) => f.groupNorm(x!, 2, w!, c!, 0.1)) },
  { name: 'cross entropy', args: [v4(3, 4), { shape: [3], limit: 4 }], run: one((x, t) => f.crossEntropy(x!, t!, -1)) },
  {
    name: 'linear cross entropy',
    args: [v4(3, 2), v4(4, 2), { shape: [3], limit: 4 }],
    run: one((x, w, t) => f.linearCrossEntropy(x!, w!, t!, -1)),
  },
  { name: 'nearest code', args: [v4(3, 2), v4(4, 2)], run: one((x, c) => b.gather(c!, f.nearestCode(x!, c!), 0)) },
  {
    name: 'attention',
    args: [v4(2, 2, 3, 2), v4(2, 1, 4, 2), v4(2, 1, 4, 2), v4(1, 2, 1, 4), { shape: [], limit: 4 }],
    run: (q, k, v, mask, n) =>
      Object.values(f.attention(q!, k!, v!, { causal: true, mask: mask!, validKeys: b.max(n!, b.constant(3, 'i32')) })),
  },
  { name: 'custom gradient', args: [v4(3), v4(3)], run: one((x, w) => straight(x!, w!)) },
  {
    name: 'checkpoint',
    args: [v4(3), v4(3)],
    run: (x, w) => checkpointNodes((y) => [b.exp(b.mul(b.sin(y!), w!))])(x!),
  },
  {
    name: 'marks',
    args: [v4(3)],
    run: one((x) => b.mul(x!, b.stopGradient(b.mark({ m: 'probe', name: 'p' }, b.exp(x!))))),
  },
];

const dtypeOf = (a: Argument) =>
  a.key ? ('u32' as const) : a.limit !== undefined ? ('i32' as const) : ('f32' as const);
const draw = (a: Argument, shape: readonly number[], seed: number): Float64Array =>
  a.key
    ? integers(sizeOf(shape), 9999, seed)
    : a.limit === undefined
      ? values(sizeOf(shape), seed)
      : integers(sizeOf(shape), a.limit + 1, seed).map((x) => x - 1);

/** Runs the mapped function once, and the plain one for each example. */
const compare = (args: readonly Argument[], run: NodeFn, mapped: readonly boolean[], n: number, salt = 0): void => {
  const inputs = args.map((a, i) => b.input(`x${i}`, mapped[i] ? [n, ...a.shape] : a.shape, dtypeOf(a)));
  const at = args.map((a, i) => draw(a, inputs[i]!.shape, i + 50 + salt));
  const all = vmapNodes(
    run,
    mapped.map((m) => (m ? 0 : null)),
  )(...inputs);
  const got = interpret(all, new Map(at.map((v, i) => [`x${i}`, v])));
  const singles = args.map((a, i) => b.input(`one${i}`, a.shape, dtypeOf(a)));
  const plain = run(...singles);
  plain.forEach((p, i) => {
    assert.equal(all[i]!.shape, [n, ...p.shape]);
    assert.is(all[i]!.dtype, p.dtype);
  });
  for (let e = 0; e < n; e++) {
    const slice = (i: number) =>
      mapped[i] ? at[i]!.subarray(e * sizeOf(args[i]!.shape), (e + 1) * sizeOf(args[i]!.shape)) : at[i]!;
    const want = interpret(plain, new Map(args.map((_, i) => [`one${i}`, slice(i)])));
    for (const [i, w] of want.entries()) close(got[i]!.subarray(e * w.length, (e + 1) * w.length), w, 1e-11);
  }
};

const masks = (k: number): readonly (readonly boolean[])[] =>
  Array.from({ length: 2 ** k - 1 }, (_, m) => Array.from({ length: k }, (_, i) => ((m + 1) >> i) % 2 === 1));

for (const c of cases) {
  test(c.name, () => {
    for (const mapped of masks(c.args.length)) compare(c.args, c.run, mapped, 3);
  });
  test(`${c.name}: differentiating examples equals examples differentiated`, () => {
    // Gradients of the float arguments as a function of all arguments: mapping it is vmap(grad f).
    const floats = c.args.flatMap((a, i) => (dtypeOf(a) === 'f32' ? [i] : []));
    const slope: NodeFn = (...xs) => {
      const merged = (fs: readonly Node[]) => xs.map((x, i) => (floats.includes(i) ? fs[floats.indexOf(i)]! : x));
      const { outs, pull } = vjpNodes(
        (...fs) => c.run(...merged(fs)),
        floats.map((i) => xs[i]!),
      );
      return pull(outs.map((o) => b.cast(b.addConst(b.sin(b.cast(o, 'f32')), 1), o.dtype)));
    };
    for (const mapped of masks(c.args.length)) compare(c.args, slope, mapped, 2);
    // grad(vmap f): all arguments mapped, so that the total decomposes over examples.
    const n = 2;
    const xs = c.args.map((a, i) => b.input(`x${i}`, [n, ...a.shape], dtypeOf(a)));
    const { outs, pull } = vjpNodes(
      (...fs) => vmapNodes(c.run)(...xs.map((x, i) => (floats.includes(i) ? fs[floats.indexOf(i)]! : x))),
      floats.map((i) => xs[i]!),
    );
    const inner = pull(outs.map((o) => b.cast(b.addConst(b.sin(b.cast(o, 'f32')), 1), o.dtype)));
    const outer = vmapNodes(slope)(...xs);
    const at = new Map(c.args.map((a, i) => [`x${i}`, draw(a, xs[i]!.shape, i + 70)]));
    const [left, right] = [interpret(inner, at), interpret(outer, at)];
    for (const [i, l] of left.entries()) close(l, right[i]!, 1e-11);
  });
}

test('twice mapped is mapped over two axes; zero examples are none', () => {
  const x = b.input('x', [2, 3, 4], 'f32');
  const twice = vmapNodes((y) => vmapNodes((z) => [f.softmax(z!)])(y!))(x)[0]!;
  assert.is(twice, f.softmax(x));
  compare([v4(3)], (y) => [b.mul(y!, y!)], [true], 0);
  compare(cases[7]!.args, cases[7]!.run, [true, true], 0);
});

test('what a function closes over is shared; first axes must agree', () => {
  const w = b.input('w', [3, 2], 'f32');
  const [y] = vmapNodes((x) => [b.einsum('i,ij->j', x!, w)])(b.input('x', [5, 3], 'f32'));
  assert.is(y!.op.kind, 'contract');
  assert.is(y!.src[1], w);
  assert.equal(vmapNodes(() => [w])(b.input('x', [5, 3], 'f32'))[0]!.shape, [5, 3, 2]);
  assert.throws(
    () => vmapNodes((a, c) => [a!, c!])(b.input('x', [5], 'f32'), b.input('y', [4], 'f32')),
    /first axes of f32\[5\], f32\[4\] differ/,
  );
});

test('shapes of the mapped results hold for drawn sizes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 3 }), fc.nat(99), (n, d, salt) => {
      compare(
        [v4(d, 2), v4(2)],
        (x, y) => [b.mul(b.einsum('ij,j->i', x!, y!), b.cumulate(b.sum(x!, [1]), 0))],
        [true, true],
        n,
        salt,
      );
    }),
    { numRuns: 20, seed: 5 },
  );
});

test.run();
