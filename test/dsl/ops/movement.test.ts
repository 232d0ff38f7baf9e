import { pipe } from 'fp-ts/lib/function.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as J from '../../../src/dsl/ops/joining.ts';
import * as M from '../../../src/dsl/ops/movement.ts';
import { upsample } from '../../../src/dsl/ops/resize.ts';
import * as S from '../../../src/dsl/ops/slicing.ts';
import type { Rank3 } from '../../../src/dsl/shape.ts';
import type { AnyTensor, Tensor } from '../../../src/dsl/tensor.ts';
import { close, closeAt, doubles, reader, refuses, valuesOf } from '../../support/values.ts';

const t = suite('ops: views, joining, slicing');
const x = doubles('x', [2, 3, 4]);
const at = reader(x);

t('reshape keeps the order, and finds one size', () => {
  closeAt(M.reshape(x, [4, 6]), [4, 6], ([i, j]) => valuesOf(x)[i! * 6 + j!]!);
  assert.equal([...M.reshape(x, [3, -1]).shape], [3, 8]);
  assert.equal([...M.splitLast(x, -1, 2).shape], [2, 3, 2, 2]);
  assert.is(pipe(x, M.reshape([4, 6])), M.reshape(x, [4, 6]));
  closeAt(M.mergeLast(x), [2, 12], ([i, j]) => at(i!, Math.floor(j! / 4), j! % 4));
  assert.equal([...M.flatten(x).shape], [24]);
  assert.equal([...M.flatten(x, 1).shape], [2, 12]);
  refuses(() => M.reshape(x, [5, -1]), 'reshape', 'does not divide into [5,-1]');
  refuses(() => M.reshape(x as AnyTensor as Tensor<Rank3>, [5, 5]), 'reshape', '24 elements');
});

t('axes move', () => {
  closeAt(M.permute(x, [2, 0, 1]), [4, 2, 3], ([c, a, b]) => at(a!, b!, c!));
  closeAt(M.swapAxes(x, 0, -1), [4, 3, 2], ([c, b, a]) => at(a!, b!, c!));
  closeAt(M.transpose(x), [2, 4, 3], ([a, c, b]) => at(a!, b!, c!));
  closeAt(M.flip(x, [0, 2]), [2, 3, 4], ([a, b, c]) => at(1 - a!, b!, 3 - c!));
  assert.is(M.flip(x, -1), pipe(x, M.flip([2])));
});

t('axes of size 1 come, go and repeat', () => {
  assert.equal([...M.unsqueeze(x, -1).shape], [2, 3, 4, 1]);
  assert.equal([...M.unsqueeze(x, 1).shape], [2, 1, 3, 4]);
  closeAt(M.squeeze(M.unsqueeze(x, 1), 1), [2, 3, 4], ([a, b, c]) => at(a!, b!, c!));
  const row = doubles('row', [1, 3]);
  closeAt(M.expand(row, [5, -1]), [5, 3], ([, j]) => reader(row)(0, j!));
  const v = doubles('v', [4]);
  closeAt(M.broadcastTo(v, [2, 3, 4]), [2, 3, 4], ([, , c]) => reader(v)(c!));
  closeAt(M.broadcastLike(v, x), [2, 3, 4], ([, , c]) => reader(v)(c!));
  const w = doubles('w', [3]);
  closeAt(M.alongAxis(w, 1, x), [2, 3, 4], ([, b]) => reader(w)(b!));
  closeAt(M.bias(x, v), [2, 3, 4], ([a, b, c]) => at(a!, b!, c!) + reader(v)(c!));
  assert.is(pipe(x, M.bias(v)), M.bias(x, v));
  const size: number = 3;
  refuses(() => M.squeeze(doubles('sq', [size, 2]), 0), 'squeeze', 'axis 0 has size 3');
  refuses(() => M.bias(x, doubles('short', [size])), 'bias', 'f32[2, 3, 4]', 'f32[3]');
});

t('slices and padding', () => {
  closeAt(S.slice(x, [null, [0, 2], [1, 4, 2]]), [2, 2, 2], ([a, b, c]) => at(a!, b!, 1 + 2 * c!));
  closeAt(S.slice(x, [[-1, 2]]), [1, 3, 4], ([, b, c]) => at(1, b!, c!));
  closeAt(S.sliceAxis(x, -1, 1, -1), [2, 3, 2], ([a, b, c]) => at(a!, b!, 1 + c!));
  closeAt(S.indexAxis(x, 1, -1), [2, 4], ([a, c]) => at(a!, 2, c!));
  closeAt(S.pad(x, [null, 1, [0, 2]], 9), [2, 5, 6], ([a, b, c]) =>
    b! >= 1 && b! < 4 && c! < 4 ? at(a!, b! - 1, c!) : 9,
  );
  closeAt(S.pad(x, [null, [-1, 0]]), [2, 2, 4], ([a, b, c]) => at(a!, b! + 1, c!));
  const stop: number = 9;
  refuses(() => S.slice(x, [[0, stop]]), 'slice', 'axis 0: 0:9:1');
  refuses(() => S.indexAxis(x, 0, 2), 'indexAxis', 'no position 2');
});

t('joining and parting', () => {
  const y = doubles('other', [2, 2, 4]);
  closeAt(J.concat([x, y], 1), [2, 5, 4], ([a, b, c]) => (b! < 3 ? at(a!, b!, c!) : reader(y)(a!, b! - 3, c!)));
  closeAt(J.stack([x, x], -1), [2, 3, 4, 2], ([a, b, c]) => at(a!, b!, c!));
  const [l, r] = J.split(x, 2);
  assert.is(J.concat([l, r], 2).shape.join(), '2,3,4');
  closeAt(r, [2, 3, 2], ([a, b, c]) => at(a!, b!, c! + 2));
  const [p, q] = J.splitSizes(x, [1, 2], 1);
  closeAt(p, [2, 1, 4], ([a, , c]) => at(a!, 0, c!));
  closeAt(q, [2, 2, 4], ([a, b, c]) => at(a!, b! + 1, c!));
  closeAt(J.repeat(x, 2, 1), [2, 6, 4], ([a, b, c]) => at(a!, Math.floor(b! / 2), c!));
  closeAt(J.tile(x, 2, 1), [2, 6, 4], ([a, b, c]) => at(a!, b! % 3, c!));
  closeAt(upsample(x, [2, 3]), [2, 6, 12], ([a, b, c]) => at(a!, Math.floor(b! / 2), Math.floor(c! / 3)));
  refuses(() => J.split(x, 3), 'split', 'does not split into 3');
  refuses(() => J.splitSizes(x, [1, 2]), 'split', '[1,2] adds up to 3');
  refuses(() => J.concat([]), 'concat', 'of nothing');
});

t('axes of size 0 are kept', () => {
  const none = doubles('none', [0, 3]);
  close(J.concat([none, doubles('some', [2, 3])]), valuesOf(doubles('some', [2, 3])));
  assert.equal([...M.transpose(none).shape], [3, 0]);
  assert.equal([...S.pad(none, [1]).shape], [2, 3]);
  assert.equal(valuesOf(M.reshape(none, [3, 0])), []);
});

t('axes are checked', () => {
  const axis: number = 5;
  refuses(() => M.swapAxes(x, 0, axis), 'no axis 5 in f32[2, 3, 4]', 'axes go from -3 to 2');
  refuses(() => M.unsqueeze(x, axis), 'no place 5');
});

t.run();
