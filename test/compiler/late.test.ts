// The order of kernels: what is wanted late is made late, where nothing lives longer for it.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Program } from '../../src/compiler/program.ts';
import { input } from '../../src/dsl/core/build.ts';
import { topological } from '../../src/dsl/core/node.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import { add, matmul, mean, square } from '../../src/dsl/ops/index.ts';
import type { Rank2 } from '../../src/dsl/shape.ts';
import { type Tensor, wrap } from '../../src/dsl/tensor.ts';
import { checkpoint, grad } from '../../src/dsl/transform/index.ts';
import { take } from '../../src/dsl/transform/tensors.ts';
import { openNull } from '../../src/runtime/null.ts';
import { compiled } from '../support/compiled.ts';

const test = suite('late kernels');

type Square = Tensor<Rank2>;
const N = 64;
const square64 = (name: string, donated = false): Square =>
  wrap(input(name, [N, N], 'f32', donated ? 'state' : 'data'));
const programOf = (outputs: readonly Node[]): Program =>
  compiled(outputs, openNull().caps, {
    donated: topological(outputs).filter((n) => n.op.kind === 'input' && n.op.role === 'state'),
  });
/** For each step the slots that it reads and writes. */
const slotsOf = ({ steps }: Program) =>
  steps.map((s) => (s.kind === 'copy' ? [s.from, s.to] : s.buffers.map(({ slot }) => slot)));
const tempsAtOnce = (p: Program): number => {
  const used = slotsOf(p);
  const temps = [...p.slots.keys()].filter((i) => p.slots[i]!.holds === 'temp');
  return Math.max(
    ...used.map((_, at) => {
      const lives = (slot: number) => {
        const steps = used.flatMap((slots, k) => (slots.includes(slot) ? [k] : []));
        return steps[0]! <= at && at <= steps.at(-1)!;
      };
      return temps.filter(lives).length;
    }),
  );
};

test('a product of inputs that stay is made right before it is read', () => {
  const [x, w, v] = [square64('x'), square64('w'), square64('v')];
  const early = matmul(w, v);
  let y = x;
  for (let i = 0; i < 6; i++) y = matmul(y, x);
  const p = programOf([matmul(y, early).node]);
  const reads = (slot: number) => slotsOf(p).flatMap((slots, k) => (slots.includes(slot) ? [k] : []));
  const [left, right] = [p.inputs[1]!.slot, p.inputs[2]!.slot];
  assert.equal(reads(left), reads(right));
  assert.equal(reads(left), [6], `of ${p.steps.length} steps`);
  assert.is(tempsAtOnce(p), 2);
});

test('one that reads what would be gone by then is not', () => {
  // Names of its own: equal expressions are one, as old as the first.
  const [x, w] = [square64('other x'), square64('other w', true)];
  const early = matmul(w, x);
  let y = x;
  for (let i = 0; i < 6; i++) y = matmul(y, x);
  const p = programOf([matmul(y, early).node]);
  const at = slotsOf(p).findIndex((slots) => slots.includes(p.inputs[1]!.slot));
  assert.is(at, 0, 'the input that was handed over is free as early as before');
});

test('blocks that are computed again are so when their gradients are, not before', () => {
  const w = Array.from({ length: 8 }, (_, i) => square64(`w${i}`));
  const block = (x: Square, v: Square): Square => add(x, matmul(square(matmul(square(matmul(x, v)), v)), v));
  const temps = (remat: boolean) => {
    const loss = (all: readonly Square[]) =>
      mean(all.reduce((x, v) => (remat ? checkpoint(block) : block)(x, v), square64('x')));
    const outputs = take(grad(loss)(w)).nodes;
    return tempsAtOnce(programOf(outputs));
  };
  const [kept, again] = [temps(false), temps(true)];
  assert.ok(again <= 8 + 8, `${again} at once, a block's input each and the inside of one; ${kept} without`);
  assert.ok(again < 0.6 * kept, `${again} and ${kept}`);
});

test.run();
