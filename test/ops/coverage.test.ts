// Whether the cases reach everything: each operation, opcode, view, reduction, family and fused call, gradients included.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fusedCallNames } from '../../src/dsl/core/fused-registry.ts';
import { topological } from '../../src/dsl/core/node.ts';
import type { Kind, MapFn, ReduceFn, View } from '../../src/dsl/core/op.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import * as ops from '../../src/dsl/ops/index.ts';
import * as tensors from '../../src/dsl/tensor.ts';
import { binaryDerivative, unaryDerivative } from '../../src/dsl/transform/derivatives.ts';
import * as functions from '../../src/dsl/transform/index.ts';
import { type Cases, graphsOf, odd } from '../support/family.ts';
import { attention } from './cases/attention.ts';
import { contract } from './cases/contract.ts';
import { elementwise } from './cases/elementwise.ts';
import { fused } from './cases/fused.ts';
import { indexing } from './cases/indexing.ts';
import { movement } from './cases/movement.ts';
import { reduce } from './cases/reduce.ts';
import { transforms } from './cases/transforms.ts';
import { windows } from './cases/windows.ts';

const test = suite('operations: coverage');
const all: Cases = {
  ...elementwise,
  ...movement,
  ...reduce,
  ...contract,
  ...windows,
  ...indexing,
  ...fused,
  ...attention,
  ...transforms,
};

/** Exports that are no operations. */
const plumbing = ['boundData', 'wrap', 'wrapAll', 'unwrap', 'isTensor', 'dual', 'opName'];
/** Operations with tests of their own: inputs in run-time.test.ts and every other, randomness in random.test.ts. */
const elsewhere = [
  ...['data', 'param', 'state', 'scalarInput'],
  ...['key', 'splitKey', 'foldIn', 'bits', 'uniform', 'normal', 'gumbel', 'bernoulli', 'randomIntegers'],
  ...['permutation', 'categorical'],
];

test('every operation has a case', () => {
  const names = Object.entries({ ...ops, ...tensors, ...functions })
    .filter(([, value]) => typeof value === 'function')
    .map(([name]) => name);
  assert.equal(
    names.filter((name) => !(name in all) && !plumbing.includes(name) && !elsewhere.includes(name)),
    [],
  );
});

const visited: readonly Node[] = topological(graphsOf(all, odd));
const missing = (wanted: readonly string[], found: (n: Node) => string | null): readonly string[] => {
  const seen = new Set(visited.map(found));
  return wanted.filter((name) => !seen.has(name));
};

/** Calls that only the compiler makes; test/kernels holds them against their references. */
const internal = ['segmentStarts', 'segmentCombine', 'mergeRuns', 'rowStatistics', 'joinStatistics'];

test('every fused call, gradients too', () => {
  const names = fusedCallNames().filter((name) => !internal.includes(name));
  assert.equal(
    missing(names, (n) => (n.op.kind === 'fused' ? n.op.call : null)),
    [],
  );
});

test('every opcode, view, reduction and family', () => {
  const fns: readonly MapFn[] = [
    ...(Object.keys(unaryDerivative) as (keyof typeof unaryDerivative)[]),
    ...(Object.keys(binaryDerivative) as (keyof typeof binaryDerivative)[]),
    ...(['where', 'cast', 'bitcast'] as const),
  ];
  const views: Readonly<Record<View['v'], true>> = {
    reshape: true,
    permute: true,
    expand: true,
    slice: true,
    pad: true,
    flip: true,
    slide: true,
    unslide: true,
  };
  const reductions: Readonly<Record<ReduceFn, true>> = {
    sum: true,
    prod: true,
    max: true,
    min: true,
    argmax: true,
    argmin: true,
  };
  const families: Readonly<Record<Exclude<Kind, 'random'>, true>> = {
    const: true,
    input: true,
    iota: true,
    map: true,
    view: true,
    concat: true,
    reduce: true,
    cumulate: true,
    sort: true,
    contract: true,
    conv: true,
    gather: true,
    scatter: true,
    fused: true,
    pick: true,
    mark: true,
  };
  assert.equal(
    missing(fns, (n) => (n.op.kind === 'map' ? n.op.fn : null)),
    [],
  );
  assert.equal(
    missing(Object.keys(views), (n) => (n.op.kind === 'view' ? n.op.view.v : null)),
    [],
  );
  assert.equal(
    missing(Object.keys(reductions), (n) => (n.op.kind === 'reduce' ? n.op.by : null)),
    [],
  );
  assert.equal(
    missing(Object.keys(families), (n) => n.op.kind),
    [],
  );
});

test.run();
