import { pipe } from 'fp-ts/lib/function.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { batchedMatmul, dot, einsum, linear, matmul, outer } from '../../../src/dsl/ops/contract.ts';
import { transpose } from '../../../src/dsl/ops/movement.ts';
import { rearrange } from '../../../src/dsl/ops/rearrange.ts';
import type { AnyTensor } from '../../../src/dsl/tensor.ts';
import { close, closeAt, doubles, positions, reader, refuses, valuesOf } from '../../support/values.ts';

const t = suite('ops: products, einsum, rearrange');

/** Einsum by its definition: every assignment of the letters. */
const byDefinition = (
  text: string,
  ...xs: readonly AnyTensor[]
): { shape: readonly number[]; values: readonly number[] } => {
  const [ins, out] = text.split('->') as [string, string];
  const names = ins.split(',');
  const size = new Map(names.flatMap((n, k) => [...n].map((l, i) => [l, xs[k]!.shape[i]!] as const)));
  const letters = [...size.keys()];
  const shape = [...out].map((l) => size.get(l)!);
  const values = new Map(positions(shape).map((p) => [p.join(), 0]));
  const readers = xs.map(reader);
  for (const p of positions(letters.map((l) => size.get(l)!))) {
    const at = (names: string) => [...names].map((l) => p[letters.indexOf(l)]!);
    const term = readers.reduce((v, r, k) => v * r(...at(names[k]!)), 1);
    const to = at(out).join();
    values.set(to, values.get(to)! + term);
  }
  return { shape, values: positions(shape).map((p) => values.get(p.join())!) };
};
const agrees = (got: AnyTensor, text: string, ...xs: readonly AnyTensor[]): void => {
  const { shape, values } = byDefinition(text, ...xs);
  assert.equal([...got.shape], [...shape]);
  close(got, values);
};

const x = doubles('x', [2, 3, 4]);
const w = doubles('w', [4, 5]);
const v = doubles('v', [4]);

t('matrix products', () => {
  agrees(matmul(x, w), 'abk,kn->abn', x, w);
  agrees(matmul(v, w), 'k,kn->n', v, w);
  assert.is(pipe(x, matmul(w)), matmul(x, w));
  agrees(linear(x, transpose(w)), 'abk,kn->abn', x, w);
  assert.is(pipe(v, linear(transpose(w))), linear(v, transpose(w)));
  const y = doubles('y', [2, 4, 6]);
  agrees(batchedMatmul(x, y), 'bik,bkj->bij', x, y);
  agrees(outer(v, doubles('u', [3])), 'i,j->ij', v, doubles('u', [3]));
  agrees(dot(v, v), 'i,i->', v, v);
});

t('einsum of one, two and more operands', () => {
  const a = doubles('a', [2, 3, 3]);
  const b = doubles('bb', [3, 4]);
  const c = doubles('ccc', [4, 2]);
  agrees(einsum('ijk->kj', x), 'ijk->kj', x);
  agrees(einsum('ijk->', x), 'ijk->', x);
  agrees(einsum('bii->bi', a), 'bii->bi', a);
  agrees(einsum('bii->b', a), 'bii->b', a);
  agrees(einsum('b i j, j k -> b i k', a, b), 'bij,jk->bik', a, b);
  agrees(einsum('bij,jk->k', a, b), 'bij,jk->k', a, b);
  agrees(einsum('bii,ik->bk', a, b), 'bii,ik->bk', a, b);
  agrees(einsum('bij,jk,kc->bic', a, b, c), 'bij,jk,kc->bic', a, b, c);
  agrees(
    einsum('bij,jk,kc,bc->i', a, b, c, doubles('dddd', [2, 2])),
    'bij,jk,kc,bc->i',
    a,
    b,
    c,
    doubles('dddd', [2, 2]),
  );
  agrees(einsum('ij,kl->', b, c), 'ij,kl->', b, c);
});

t('einsum names its mistakes', () => {
  const text: string = 'ij,jk->ik';
  refuses(() => einsum(text, w, w), 'einsum', "index 'j' is 5 and 4");
  refuses(() => einsum(text, w), 'names 2 operands, got 1');
  const bad: string = 'ij,jk->iz';
  refuses(() => einsum(bad, doubles('s', [4, 4]), doubles('s', [4, 4])), "index 'z'");
  const twice: string = 'ij->ii';
  refuses(() => einsum(twice, doubles('s', [4, 4])), 'an index occurs twice in the result');
  const k: number = 7;
  refuses(() => matmul(x, doubles('odd', [k, 2])), 'matmul: x ends in 4, w starts with 7', 'f32[2, 3, 4]', 'f32[7, 2]');
});

t('rearrange splits, moves and merges', () => {
  const image = doubles('image', [2, 12, 5]);
  const at = reader(image);
  closeAt(rearrange(image, 'b (h w) c -> b c h w', { h: 3 }), [2, 5, 3, 4], ([b, c, h, q]) => at(b!, h! * 4 + q!, c!));
  closeAt(rearrange(image, 'b (h p) c -> (b h) (p c)', { p: 2 }), [12, 10], ([bh, pc]) =>
    at(Math.floor(bh! / 6), (bh! % 6) * 2 + Math.floor(pc! / 5), pc! % 5),
  );
  closeAt(rearrange(image, '... c -> c ...'), [5, 2, 12], ([c, b, i]) => at(b!, i!, c!));
  closeAt(rearrange(image, 'b t c -> b 1 t () c'), [2, 1, 12, 1, 5], ([b, , i, , c]) => at(b!, i!, c!));
  assert.is(pipe(image, rearrange('b t c -> t b c')), rearrange(image, 'b t c -> t b c'));
  const patches = rearrange(image, 'b (h w) c -> b h w c', { h: 3, w: 4 });
  close(rearrange(patches, 'b h w c -> b (h w) c'), valuesOf(image));
});

t('rearrange names its mistakes', () => {
  const image = doubles('image', [2, 12, 5]);
  const p = (pattern: string, sizes?: Record<string, number>) => () => rearrange(image, pattern, sizes);
  refuses(p('b t -> t b'), 'rearrange', 'it names 2 axes', 'f32[2, 12, 5]');
  refuses(p('b t c -> b t'), "'c' is on one side only");
  refuses(p('b (h w) c -> b c h w'), "all but one of 'h w'");
  refuses(p('b (h w) c -> b c h w', { h: 5 }), "'h w' is not of size 12");
  refuses(p('b t c -> c t b', { z: 1 }), "'z' has a size");
  refuses(p('b t b -> b t'), "'b' occurs twice");
  refuses(p('b (t c -> b t c'), 'parentheses');
  refuses(p('1 t c -> t c'), "'1' is not of size 2");
});

t('sums over nothing are zero', () => {
  const none = doubles('none', [2, 0]);
  close(matmul(none, doubles('none2', [0, 3])), [0, 0, 0, 0, 0, 0]);
});

t.run();
