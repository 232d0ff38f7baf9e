import { inspect } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as C from '../../../src/dsl/ops/create.ts';
import { add, recip } from '../../../src/dsl/ops/elementwise.ts';
import { boundData, data, param, scalarInput, state, tensor } from '../../../src/dsl/ops/inputs.ts';
import { concat } from '../../../src/dsl/ops/joining.ts';
import { anySize, dim, ofDType, shaped } from '../../../src/dsl/tensor.ts';
import { close, refuses, valuesOf } from '../../support/values.ts';

const t = suite('ops: creation, inputs, tensors');

t('constants and counting', () => {
  close(C.scalar(2.5), [2.5]);
  close(C.full(3, [2, 2]), [3, 3, 3, 3]);
  close(C.zeros([2], 'i32'), [0, 0]);
  close(C.onesLike(C.zeros([3], 'u32')), [1, 1, 1]);
  close(C.iota([2, 3]), [0, 1, 2, 0, 1, 2]);
  close(C.iota([2, 3], 0), [0, 0, 0, 1, 1, 1]);
  close(C.arange(4), [0, 1, 2, 3]);
  close(C.arange(2, 9, 3), [2, 5, 8]);
  close(C.arange(3, 0, -1), [3, 2, 1]);
  assert.equal(valuesOf(C.arange(3, 3)), []);
  close(C.eye(2), [1, 0, 0, 1]);
  close(C.lowerTriangle(2, 3), [1, 0, 0, 1, 1, 0]);
  close(C.lowerTriangle(2, 3, 1), [1, 1, 0, 1, 1, 1]);
  refuses(() => C.full(-1, [2], 'u32'), '-1 is outside of u32');
  refuses(() => C.arange(0, 3, 0.5), 'arange');
});

t('host data, nested or flat, is copied', () => {
  const m = tensor([
    [1, 2],
    [3, 4],
  ]);
  assert.equal([...m.shape], [2, 2]);
  assert.is(tensor([true, false]).dtype, 'bool');
  assert.is(tensor([1, 2], 'i32').dtype, 'i32');
  assert.is(tensor(4).shape.length, 0);
  const values = new Float32Array([1, 2, 3]);
  const v = tensor(values, [3]);
  values[0] = 9;
  assert.equal([...boundData(v.node)!], [1, 2, 3]);
  assert.is(tensor(new Uint16Array([0x3c00]), [1], 'bf16').dtype, 'bf16');
  assert.equal([...boundData(tensor([[1, 2]], 'f16').node.src[0]!)!], [1, 2]);
  assert.is(tensor([1, 2]), tensor([1, 2]));
  assert.is.not(tensor([1, 2]), tensor([1, 2], 'i32'));
  for (const zero of [tensor([0]), C.full(0, [1])])
    for (const negative of [tensor([-0]), C.full(-0, [1])])
      assert.equal(valuesOf(recip(concat([zero, negative]))), [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
  assert.is(boundData(add(v, v).node), undefined);
  refuses(() => tensor(new Float32Array(3), [2]), '3 values do not fill [2]');
  const ragged: readonly (readonly number[])[] = [[1, 2], [3]];
  refuses(() => tensor(ragged), 'rows differ');
});

t('inputs know their role', () => {
  const roles = [param('w', [2]), state('m', [2]), data('x', [2]), scalarInput('rate')].map((x) => x.node.op);
  assert.equal(
    roles.map((op) => op.kind === 'input' && op.role),
    ['param', 'state', 'data', 'scalar'],
  );
});

t('tensors print what they are', () => {
  const x = data('image', [dim('batch', 8), 3]);
  assert.is(inspect(x), 'Tensor(data image f32[8, 3])');
  assert.is(inspect({ y: add(x, 1) }), '{ y: Tensor(add f32[8, 3]) }');
  assert.is(`${C.scalar(2)}`, 'const 2 f32[]');
});

t('shapes and dtypes can be stated', () => {
  const size: number = 3;
  const x = data('odd', [size, 2]);
  assert.is(shaped([3, 2])(x), anySize(x));
  refuses(() => shaped([4, -1])(x), 'the shape is [3,2], not [4,-1]');
  assert.is(ofDType('f32')(x), ofDType('f32')(x));
  refuses(() => ofDType('i32')(x), 'the dtype is f32, not i32');
  refuses(() => dim('batch', 1.5), "'batch' is 1.5");
});

t.run();
