import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ConvOptions, conv2d, convTranspose2d } from '../../../src/dsl/ops/conv.ts';
import { mul } from '../../../src/dsl/ops/elementwise.ts';
import { adaptiveAveragePool2d, adaptiveMaxPool2d, averagePool2d, maxPool2d } from '../../../src/dsl/ops/pool.ts';
import { sum } from '../../../src/dsl/ops/reduce.ts';
import { resizeBilinear, resizeNearest } from '../../../src/dsl/ops/resize.ts';
import { close, closeAt, doubles, reader, refuses, valuesOf } from '../../support/values.ts';

const t = suite('ops: convolution, pooling, resizing');
const range = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);
const total = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0);

interface Setting {
  readonly stride?: number;
  readonly padding?: number;
  readonly dilation?: number;
  readonly groups?: number;
}
const settings: readonly Setting[] = [
  {},
  { stride: 2, padding: 1 },
  { dilation: 2, padding: 2 },
  { groups: 2, stride: 2 },
  { groups: 2, padding: 1, dilation: 2 },
];

t('conv2d is the sum over its windows', () => {
  const x = doubles('x', [2, 4, 7, 6]);
  const at = reader(x);
  for (const o of settings) {
    const { stride = 1, padding = 0, dilation = 1, groups = 1 } = o;
    const inner = 4 / groups;
    const w = doubles(`w${groups}`, [6, inner, 3, 3]);
    const b = doubles('b', [6]);
    const [wat, bat] = [reader(w), reader(b)];
    const size = (n: number) => Math.floor((n + 2 * padding - dilation * 2 - 1) / stride) + 1;
    closeAt(conv2d(x, w, { ...o, groups, bias: b }), [2, 6, size(7), size(6)], ([n, f, i, j]) => {
      const group = Math.floor(f! / (6 / groups));
      const terms = range(inner).flatMap((c) =>
        range(3).flatMap((p) =>
          range(3).map((q) => {
            const [r, s] = [i! * stride + p * dilation - padding, j! * stride + q * dilation - padding];
            return r < 0 || s < 0 || r >= 7 || s >= 6 ? 0 : at(n!, group * inner + c, r, s) * wat(f!, c, p, q);
          }),
        ),
      );
      return total(terms) + bat(f!);
    });
  }
});

t("padding 'same' keeps sizes, also of even windows", () => {
  const x = doubles('x', [2, 4, 7, 6]);
  const w = doubles('even', [5, 4, 2, 3]);
  const y = conv2d(x, w, { padding: 'same' });
  assert.equal([...y.shape], [2, 5, 7, 6]);
  close(
    y,
    valuesOf(
      conv2d(x, w, {
        padding: [
          [0, 1],
          [1, 1],
        ],
      }),
    ),
  );
  const o: ConvOptions = { padding: 'same', stride: 2 };
  refuses(() => conv2d(x, w, o), "padding 'same' at stride");
});

t('convTranspose2d is the adjoint of conv2d', () => {
  for (const o of [...settings, { padding: 3 }, { stride: 3, padding: 2 }]) {
    const { stride = 1, padding = 0, dilation = 1, groups = 1 } = o;
    const [h, v] = [9, 8];
    const x = doubles('image', [1, 4, h, v]);
    const w = doubles(`k${groups}`, [6, 4 / groups, 3, 3]);
    const y = conv2d(x, w, { ...o, groups });
    const z = doubles(`z${JSON.stringify(o)}`, [1, 6, y.shape[2], y.shape[3]]);
    const short = (n: number) => (n + 2 * padding - dilation * 2 - 1) % stride;
    const back = convTranspose2d(z, w, { ...o, groups, outputPadding: [short(h), short(v)] });
    assert.equal([...back.shape], [...x.shape]);
    close(sum(mul(back, x)), valuesOf(sum(mul(y, z))));
  }
});

t('convTranspose2d adds its bias, and checks channels', () => {
  const x = doubles('c', [1, 2, 3, 3]);
  const w = doubles('cw', [2, 3, 2, 2]);
  const b = doubles('cb', [3]);
  const plain = reader(convTranspose2d(x, w, { stride: 2 }));
  closeAt(
    convTranspose2d(x, w, { stride: 2, bias: b }),
    [1, 3, 6, 6],
    ([n, c, i, j]) => plain(n!, c!, i!, j!) + reader(b)(c!),
  );
  const channels: number = 5;
  refuses(() => convTranspose2d(x, doubles('cw5', [channels, 3, 2, 2])), 'x has 2 channels, w takes 5');
  refuses(() => conv2d(x, doubles('cw6', [4, channels, 2, 2])), 'x has 2 channels');
});

t('pooling by windows', () => {
  const x = doubles('pool', [2, 3, 7, 6]);
  const at = reader(x);
  const window = (n: number, c: number, i: number, j: number, k: number, stride: number, padding: number) =>
    range(k).flatMap((p) =>
      range(k).flatMap((q) => {
        const [r, s] = [i * stride + p - padding, j * stride + q - padding];
        return r < 0 || s < 0 || r >= 7 || s >= 6 ? [] : [at(n, c, r, s)];
      }),
    );
  closeAt(maxPool2d(x, 2), [2, 3, 3, 3], ([n, c, i, j]) => Math.max(...window(n!, c!, i!, j!, 2, 2, 0)));
  closeAt(maxPool2d(x, 3, { stride: 2, padding: 1 }), [2, 3, 4, 3], ([n, c, i, j]) =>
    Math.max(...window(n!, c!, i!, j!, 3, 2, 1)),
  );
  // ceil((6 - 3) / 2) + 1 windows across, the last of which is cut off; the rows come out even.
  closeAt(maxPool2d(x, 3, { stride: 2, ceil: true }), [2, 3, 3, 3], ([n, c, i, j]) =>
    Math.max(...window(n!, c!, i!, j!, 3, 2, 0)),
  );
  // A window that would start in the padding is none: ceil((6 + 2 - 2) / 4) + 1 = 3 starts at 8 - 1.
  assert.equal([...maxPool2d(x, 2, { stride: 4, padding: 1, ceil: true }).shape], [2, 3, 2, 2]);
  closeAt(
    averagePool2d(x, 3, { stride: 2, padding: 1 }),
    [2, 3, 4, 3],
    ([n, c, i, j]) => total(window(n!, c!, i!, j!, 3, 2, 1)) / 9,
  );
  closeAt(averagePool2d(x, 3, { stride: 2, padding: 1, countPadding: false }), [2, 3, 4, 3], ([n, c, i, j]) => {
    const own = window(n!, c!, i!, j!, 3, 2, 1);
    return total(own) / own.length;
  });
  refuses(() => maxPool2d(x, 2, { padding: 2 }), 'at most half of the window');
});

t('adaptive pooling by bins', () => {
  const x = doubles('bins', [2, 7, 6]);
  const at = reader(x);
  const bin = (i: number, size: number, bins: number) =>
    range(size).filter((p) => p >= Math.floor((i * size) / bins) && p < Math.ceil(((i + 1) * size) / bins));
  for (const [h, w] of [
    [3, 4],
    [1, 1],
    [7, 3],
    [9, 8],
  ] as const) {
    const own = (n: number, i: number, j: number) => bin(i, 7, h).flatMap((p) => bin(j, 6, w).map((q) => at(n, p, q)));
    closeAt(
      adaptiveAveragePool2d(x, [h, w]),
      [2, h, w],
      ([n, i, j]) => total(own(n!, i!, j!)) / own(n!, i!, j!).length,
    );
    closeAt(adaptiveMaxPool2d(x, [h, w]), [2, h, w], ([n, i, j]) => Math.max(...own(n!, i!, j!)));
  }
});

t('nearest', () => {
  const x = doubles('near', [2, 5, 4]);
  const at = reader(x);
  for (const [h, w] of [
    [10, 8],
    [3, 7],
    [5, 2],
  ] as const)
    closeAt(resizeNearest(x, [h, w]), [2, h, w], ([n, i, j]) =>
      at(n!, Math.floor((i! * 5) / h), Math.floor((j! * 4) / w)),
    );
});

t('bilinear reads the two neighbours of each place', () => {
  const x = doubles('bi', [2, 5, 4]);
  const at = reader(x);
  const taps = (i: number, from: number, to: number, corners: boolean): readonly (readonly [number, number])[] => {
    const place = corners ? (to > 1 ? (i * (from - 1)) / (to - 1) : 0) : ((i + 0.5) * from) / to - 0.5;
    const p = Math.min(from - 1, Math.max(0, place));
    const low = Math.floor(p);
    return [
      [low, 1 - (p - low)],
      [Math.min(low + 1, from - 1), p - low],
    ];
  };
  for (const corners of [false, true])
    for (const [h, w] of [
      [10, 8],
      [3, 7],
      [2, 1],
      [5, 9],
    ] as const)
      closeAt(
        resizeBilinear(x, [h, w], { alignCorners: corners }),
        [2, h, w],
        ([n, i, j]) =>
          total(
            taps(i!, 5, h, corners).flatMap(([p, a]) => taps(j!, 4, w, corners).map(([q, b]) => a * b * at(n!, p, q))),
          ),
        1e-6,
      );
});

t('antialiasing averages what a new element covers', () => {
  const line = doubles('line', [1, 6], (_, i) => i);
  // Triangles of half-width 2 around 0.5 and 2.5 and 4.5, cut at the border.
  close(resizeBilinear(line, [1, 3], { antialias: true }), [5 / 7, 2.5, 30 / 7], 1e-6);
  close(resizeBilinear(line, [1, 6], { antialias: true }), valuesOf(line));
});

t.run();
