// Contraction by subgroup matrices. The adapter at hand may have none, so each lane keeps them in arrays of its own here: everything
// but the matrix unit itself is the kernel's. cards.test.ts has Dawn check the shaders as they are.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { counter, loop } from '../../src/compiler/ir/build.ts';
import { builtins } from '../../src/compiler/ir/builtins.ts';
import type { Caps, SubgroupMatrix } from '../../src/compiler/ir/caps.ts';
import {
  call,
  castTo,
  type Expr,
  element,
  f32,
  i32,
  int,
  rawCall,
  ref,
  scalarType,
} from '../../src/compiler/ir/expr.ts';
import { add, mul } from '../../src/compiler/ir/index-math.ts';
import type { MatrixType, Stmt } from '../../src/compiler/ir/stmt.ts';
import { mapStmt, visitStmts } from '../../src/compiler/ir/walk.ts';
import { printJs } from '../../src/compiler/js/print.ts';
import * as b from '../../src/dsl/core/build.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import { contractMatrix } from '../../src/kernels/contract/matrix.ts';
import type { KernelTemplate, Schedule } from '../../src/kernels/template.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { hardwareCaps } from '../support/caps.ts';
import { compiled } from '../support/compiled.ts';
import { skip } from '../support/skip.ts';
import { agree, onDevice, templatesOf } from './agree.ts';
import { disguised } from './device.ts';
import { product, withinLimits } from './products.ts';

const test = suite('kernels: contraction by subgroup matrices');

/** Loops over the elements of a matrix, which no driver unrolls. */
const counted = (name: string, count: number, body: (i: Expr) => readonly Stmt[]): Stmt => {
  const i = counter(name, count - 1);
  const to = rawCall('add', [int(count), ref(builtins.zero, i32, 0, 0)], i32, count, count);
  return loop(i, to, body(i));
};
const each = (name: string, of: MatrixType, body: (r: Expr, c: Expr, at: Expr) => readonly Stmt[]): Stmt =>
  counted(`${name}_r`, of.rows, (r) => [
    counted(`${name}_c`, of.columns, (c) => body(r, c, add(mul(r, int(of.columns)), c))),
  ]);

const typesIn = (body: readonly Stmt[]): ReadonlyMap<string, MatrixType> => {
  const types = new Map<string, MatrixType>();
  visitStmts(body, (s) => {
    if (s.s === 'matrix' || s.s === 'loadMatrix') types.set(s.name, s.of);
  });
  return types;
};

/** A kernel's matrices as arrays that every lane of the subgroup holds in full. */
const withArrays = (body: readonly Stmt[]): readonly Stmt[] => {
  const types = typesIn(body);
  const array = (name: string, of: MatrixType): Stmt => ({ s: 'array', name, type: f32, length: of.rows * of.columns });
  const block = (stmts: readonly Stmt[]): readonly Stmt[] =>
    stmts.flatMap((s): readonly Stmt[] => {
      if (s.s === 'matrix') return [array(s.name, s.of)];
      if (s.s === 'loadMatrix') {
        const from = (r: Expr, c: Expr): Expr =>
          castTo(element(s.array, add(s.index, add(mul(r, int(s.stride)), c)), scalarType(s.of.scalar)), 'f32');
        const put = each(s.name, s.of, (r, c, index) => [{ s: 'setElement', array: s.name, index, value: from(r, c) }]);
        return [array(s.name, s.of), put];
      }
      if (s.s === 'storeMatrix') {
        const then = each(s.name, s.of, (r, c, at) => [
          {
            s: 'setElement',
            array: s.array,
            index: add(s.index, add(mul(r, int(s.stride)), c)),
            value: element(s.name, at, f32),
          },
        ]);
        return [{ s: 'if', cond: call('eq', ref(builtins.lane, i32, 0, 127), int(0)), then: [then] }];
      }
      if (s.s === 'multiplyMatrices') {
        const [left, right] = [types.get(s.left)!, types.get(s.right)!];
        const id = `${s.into}_${s.left}`;
        return [
          each(id, types.get(s.into)!, (r, c, index) => [
            counted(`${id}_k`, left.columns, (k) => {
              const a = element(s.left, add(mul(r, int(left.columns)), k), f32);
              const b = element(s.right, add(mul(k, int(right.columns)), c), f32);
              const value = call('add', element(s.into, index, f32), call('mul', a, b));
              return [{ s: 'setElement', array: s.into, index, value }];
            }),
          ]),
        ];
      }
      return [mapStmt(s, (e) => e, block)];
    });
  return block(body);
};

const emulated: KernelTemplate = {
  ...contractMatrix,
  emit: (...call) => {
    const emitted = contractMatrix.emit(...call);
    return { ...emitted, body: withArrays(emitted.body) };
  },
};

const matrix = (component: 'f32' | 'f16', result: 'f32' | 'f16', M: number, N: number, K: number): SubgroupMatrix => ({
  component,
  result,
  M,
  N,
  K,
});
const small = matrix('f32', 'f32', 8, 8, 8);
const square = matrix('f32', 'f32', 16, 16, 16);
const wide = matrix('f32', 'f32', 8, 16, 16);
const halves = matrix('f16', 'f32', 16, 16, 16);

const having = (backend: Backend, ...subgroupMatrices: readonly SubgroupMatrix[]): Backend =>
  disguised(backend, { software: false, subgroupMatrices });

const holds = (backend: Backend, roots: readonly Node[], schedule?: Schedule): Promise<void> =>
  agree(backend, roots, {
    template: 'contract-matrix',
    templates: [emulated],
    ...(schedule ? { schedules: { 'contract-matrix': schedule } } : {}),
  });

for (const order of ['mk,kn', 'km,nk'])
  onDevice(test, `${order}, ragged tiles`, (backend) => holds(having(backend, square), [product(37, 19, 43, order)]));

onDevice(test, 'whole tiles', (backend) => holds(having(backend, square), [product(64, 32, 32, 'mk,kn')]));

onDevice(test, 'matrices that are not square, several of them in a subgroup', async (backend) => {
  const on = having(backend, wide);
  const root = product(40, 36, 68, 'mk,nk');
  for (const schedule of contractMatrix.space(root, on.caps).filter((s) => Number(s.rows) === 32))
    await holds(on, [root], schedule);
});

const half = (name: string, shape: readonly number[]): Node => b.cast(b.input(name, shape, 'f16'), 'f32');
const inHalves = (m: number, k: number, n: number): Node => b.einsum('mk,nk->mn', half('a', [m, k]), half('b', [n, k]));

onDevice(test, 'operands in half precision are multiplied in it, and added up in f32', async (backend) => {
  const on = having(backend, square, halves);
  if (!on.caps.f16) return skip('products of halves: the adapter has no f16');
  const root = inHalves(35, 70, 41);
  assert.is(contractMatrix.heuristic(root, on.caps).unit, 'f16 16x16x16');
  await holds(on, [root]);
});

onDevice(test, 'what comes before and after joins the product; batches and heads by views', async (backend) => {
  const on = having(backend, square);
  const a = b.tanh(b.input('a', [33, 24], 'f32'));
  const h = b.add(
    b.einsum('mk,nk->mn', a, b.input('w', [36, 24], 'f32')),
    b.broadcastTo(b.input('bias', [36], 'f32'), [33, 36]),
  );
  await holds(on, [b.add(b.erf(h), b.input('residual', [33, 36], 'f32'))]);
  const heads = (name: string, tokens: number): Node =>
    b.permute(b.reshape(b.input(name, [2, tokens, 24], 'f32'), [2, tokens, 3, 8]), [0, 2, 1, 3]);
  await holds(on, [b.einsum('bhqd,bhkd->bhqk', heads('q', 17), heads('k', 19))]);
  await holds(on, [b.einsum('mk,nk->nm', b.input('a', [20, 12], 'f32'), b.input('b', [36, 12], 'f32'))]);
});

const with8: Caps = { ...hardwareCaps, subgroupMatrices: [small, matrix('f16', 'f16', 8, 8, 8)] };
const with16: Caps = { ...hardwareCaps, subgroupMatrices: [halves] };
const large = product(256, 256, 256, 'mk,kn');

test('taken where an adapter has matrices that keep the bits, else the next template is', () => {
  assert.equal(templatesOf([large], with8), ['contract-matrix']);
  assert.equal(templatesOf([large], hardwareCaps), ['contract-tiled']);
  assert.match(contractMatrix.refuses(large, with16) ?? '', 'fit');
  assert.match(contractMatrix.refuses(product(64, 64, 64, 'mk,kn', 'f16'), with16) ?? '', 'fit');
  assert.is(contractMatrix.refuses(inHalves(64, 64, 64), with16), null);
  assert.is(
    contractMatrix.heuristic(inHalves(64, 64, 64), with8).unit,
    'f32 8x8x8',
    'sums are never in half precision',
  );
  assert.match(contractMatrix.refuses(large, { ...with8, subgroups: { min: 16, max: 32 } }) ?? '', 'size');
  assert.match(contractMatrix.refuses(large, { ...with8, software: true }) ?? '', 'no subgroup matrices');
  assert.match(contractMatrix.refuses(product(64, 50000, 64, 'km,kn'), with8) ?? '', 'smaller tiles');
  assert.match(contractMatrix.refuses(product(8, 64, 64, 'mk,kn'), with8) ?? '', 'empty');
});

test('every schedule fits the device that it is offered on', () => {
  const limits = { ...hardwareCaps.limits, workgroupBytes: 16384, invocations: 256 };
  for (const caps of [with8, { ...with8, limits }, { ...with8, subgroups: { min: 64, max: 64 }, limits }])
    for (const [m, k, n] of [
      [16, 8, 16],
      [197, 65, 1023],
      [1024, 1024, 1024],
    ] as const)
      withinLimits(product(m, k, n, 'mk,kn'), contractMatrix, caps);
});

test('the shader asks for the extension; a JavaScript kernel has no such thing', () => {
  assert.match(compiled([large], with8).kernels[0]!.text, 'enable chromium_experimental_subgroup_matrix;');
  const of = { role: 'result', scalar: 'f32', rows: 8, columns: 8 } as const;
  const code = {
    label: 'by hand',
    buffers: [],
    scalars: [],
    workgroupSize: 1,
    groups: 1,
    arrays: [],
    subgroups: false,
    body: [{ s: 'matrix', name: 'm', of }],
  } as const;
  assert.throws(() => printJs(code), /'by hand': a JavaScript kernel has no subgroup matrices/);
});

test.run();
