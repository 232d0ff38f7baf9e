// Attention in f64, of one head and of tokens that hold all heads' queries, keys and values side by side.
import { type Pulled, softmax } from './layers.ts';
import { type Matrix, mapMatrix, matrix, product, productOfRows, transpose } from './matrix.ts';

export interface Heads {
  readonly q: Matrix;
  readonly k: Matrix;
  readonly v: Matrix;
}

/** softmax(q k' / sqrt(width)) v of one head, each [tokens, width]. */
export const attention = ({ q, k, v }: Heads): Pulled<Heads> => {
  const scale = 1 / Math.sqrt(q.columns);
  const scores = mapMatrix(productOfRows(q, k), (s) => s * scale);
  const p = softmax(scores);
  return {
    y: product(p, v),
    back: (dy) => {
      const dp = productOfRows(dy, v);
      const ds = matrix(p.rows, p.columns);
      for (let r = 0; r < p.rows; r++) {
        const at = r * p.columns;
        let along = 0;
        for (let c = 0; c < p.columns; c++) along += dp.data[at + c]! * p.data[at + c]!;
        for (let c = 0; c < p.columns; c++) ds.data[at + c] = p.data[at + c]! * (dp.data[at + c]! - along) * scale;
      }
      return { q: product(ds, k), k: product(transpose(ds), q), v: product(transpose(p), dy) };
    },
  };
};

const part = (x: Matrix, row: number, rows: number, column: number, columns: number): Matrix => {
  const out = matrix(rows, columns);
  for (let r = 0; r < rows; r++)
    out.data.set(
      x.data.subarray((row + r) * x.columns + column, (row + r) * x.columns + column + columns),
      r * columns,
    );
  return out;
};
const place = (into: Matrix, x: Matrix, row: number, column: number): void => {
  for (let r = 0; r < x.rows; r++)
    into.data.set(x.data.subarray(r * x.columns, (r + 1) * x.columns), (row + r) * into.columns + column);
};

/** Self-attention of qkv [batch * tokens, 3 * width] -> [batch * tokens, width], by head. */
export const selfAttention = (qkv: Matrix, tokens: number, heads: number): Pulled<Matrix> => {
  const width = qkv.columns / 3;
  const each = width / heads;
  const y = matrix(qkv.rows, width);
  const places: { readonly row: number; readonly column: number; readonly back: Pulled<Heads>['back'] }[] = [];
  for (let row = 0; row < qkv.rows; row += tokens)
    for (let column = 0; column < width; column += each) {
      const of = (n: number): Matrix => part(qkv, row, tokens, n * width + column, each);
      const one = attention({ q: of(0), k: of(1), v: of(2) });
      place(y, one.y, row, column);
      places.push({ row, column, back: one.back });
    }
  return {
    y,
    back: (dy) => {
      const d = matrix(qkv.rows, qkv.columns);
      for (const { row, column, back } of places) {
        const { q, k, v } = back(part(dy, row, tokens, column, each));
        place(d, q, row, column);
        place(d, k, row, width + column);
        place(d, v, row, 2 * width + column);
      }
      return d;
    },
  };
};
