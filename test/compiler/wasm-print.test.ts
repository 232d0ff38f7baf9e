// What WebAssembly kernels are printed as where instructions count: addresses of a thread's own arrays.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { builtins } from '../../src/compiler/ir/builtins.ts';
import { type Expr, f32, f32x4, i32, int, lit, ref } from '../../src/compiler/ir/expr.ts';
import { add, mul } from '../../src/compiler/ir/index-math.ts';
import type { KernelCode } from '../../src/compiler/ir/stmt.ts';
import { printWasm, type WasmOptions } from '../../src/compiler/wasm/print.ts';

const test = suite('wasm: printed kernels');

const group = ref(builtins.group, i32, 0, 3);
const code: KernelCode = {
  label: 'elements',
  buffers: [{ name: 'out', dtype: 'f32', access: 'read_write', length: 4 }],
  scalars: [],
  workgroupSize: 1,
  groups: 4,
  arrays: [
    { name: 'first', type: f32x4, length: 1 },
    { name: 'own', type: f32, length: 12 },
  ],
  subgroups: false,
  body: [],
};

const plain: WasmOptions = { relaxedSimd: false, memory64: false };
const printed = (index: Expr): string =>
  printWasm({ ...code, body: [{ s: 'setElement', array: 'own', index, value: lit(1, 'f32') }] }, plain).text;

test('what is added to an index of an array is an offset, and no instruction', () => {
  const text = printed(add(mul(group, int(2)), int(5)));
  assert.match(text, new RegExp(`f32\\.store offset=${16 + 4 * 5} `));
  assert.not.match(text, /i32\.const 5\)/);
});

test('a part of an index that may be negative keeps its constant', () =>
  assert.match(printed(add(mul(group, int(-1)), int(3))), /f32\.store offset=16 .*\(i32\.const 3\)/));

test.run();
