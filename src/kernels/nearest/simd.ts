// The nearest code on a processor: a workgroup takes some rows and passes over the codes four at a time; products of two rows with four
// codes are vectors along the width, and each row keeps the best of every fourth code. No distance matrix.
import { counter, loop, plus, range, times } from '../../compiler/ir/build.ts';
import { builtins } from '../../compiler/ir/builtins.ts';
import {
  bool,
  call,
  component,
  type Expr,
  element,
  f32,
  f32x4,
  i32,
  i32x4,
  int,
  lit,
  ref,
  splat4,
  variable,
  vec4,
  where,
  zero4,
} from '../../compiler/ir/expr.ts';
import { add, delinearise, min, mul } from '../../compiler/ir/index-math.ts';
import type { Stmt } from '../../compiler/ir/stmt.ts';
import { highest } from '../../dsl/core/dtype.ts';
import { sumOfLanes } from '../quads.ts';
import type { KernelTemplate } from '../template.ts';
import { before, codeQuad, nearestCall, nearestParts, rowQuad } from './call.ts';

/** Codes of a step, and rows of a tile. */
const CODES = 4;
const ROWS = 2;

const vector = (name: string): Expr => variable(name, f32x4);

const emit: KernelTemplate['emit'] = (n, schedule, block) => {
  const c = nearestCall(n)!;
  const rows = Number(schedule.rows);
  const groups = Math.ceil(c.rows / rows);
  const row0 = mul(ref(builtins.group, i32, 0, Math.max(0, groups - 1)), int(rows));
  const steps = Math.ceil(c.codes / CODES);
  const step = counter('step', steps - 1);
  const codeAt = (k: number): Expr => add(mul(step, int(CODES)), int(k));
  const quads = Math.ceil(c.width / 4);
  const overWidth = (body: (quad: Expr) => readonly Stmt[]): Stmt => {
    const quad = counter('quad', quads - 1);
    return loop(quad, quads, body(quad));
  };
  const sums = (name: (k: number) => string, count: number): readonly Stmt[] =>
    range(count).map((k): Stmt => ({ s: 'var', name: name(k), type: f32x4, value: zero4 }));
  const square = (k: number): string => `square${k}`;
  const product = (r: number) => (k: number) => `product${r}_${k}`;
  const codes = (quad: Expr): readonly Stmt[] =>
    range(CODES).map((k): Stmt => ({ s: 'let', name: `c${k}`, value: codeQuad(c, block, codeAt(k), quad) }));
  const code = (k: number): Expr => ref(`c${k}`, f32x4);
  const pair = counter('pair', rows / ROWS - 1);
  const slot = (r: number): Expr => add(mul(pair, int(ROWS)), int(r));
  const numbers = vec4(range(CODES).map(codeAt));
  const compare = (r: number): readonly Stmt[] => {
    const products = vec4(range(CODES).map((k) => sumOfLanes(vector(product(r)(k)))));
    const away = plus(ref('squares', f32x4), times(products, splat4(lit(-2, 'f32'))));
    const inside =
      c.codes % CODES === 0
        ? away
        : vec4(
            range(CODES).map((k) =>
              where(call('lt', codeAt(k), int(c.codes)), component(ref(`all${r}`, f32x4), k), lit(highest.f32, 'f32')),
            ),
          );
    const [best, known] = [element('distances', slot(r), f32x4), element('codes', slot(r), i32x4)];
    const nearer = call('lt', ref(`away${r}`, f32x4), ref(`best${r}`, f32x4));
    return [
      ...(c.codes % CODES === 0 ? [] : [{ s: 'let' as const, name: `all${r}`, value: away }]),
      { s: 'let', name: `away${r}`, value: inside },
      { s: 'let', name: `best${r}`, value: best },
      { s: 'let', name: `known${r}`, value: known },
      {
        s: 'setElement',
        array: 'distances',
        index: slot(r),
        value: where(nearer, ref(`away${r}`, f32x4), ref(`best${r}`, f32x4)),
      },
      { s: 'setElement', array: 'codes', index: slot(r), value: where(nearer, numbers, ref(`known${r}`, i32x4)) },
    ];
  };
  const tile: Stmt = loop(pair, rows / ROWS, [
    ...range(ROWS).flatMap((r) => sums(product(r), CODES)),
    overWidth((quad) => [
      ...codes(quad),
      ...range(ROWS).flatMap((r): readonly Stmt[] => [
        { s: 'let', name: `x${r}`, value: rowQuad(c, block, add(row0, slot(r)), quad) },
        ...range(CODES).map((k): Stmt => {
          const name = product(r)(k);
          return { s: 'assign', name, value: plus(vector(name), times(code(k), ref(`x${r}`, f32x4))) };
        }),
      ]),
    ]),
    ...range(ROWS).flatMap(compare),
  ]);
  const stream: Stmt = loop(step, steps, [
    ...sums(square, CODES),
    overWidth((quad) => [
      ...codes(quad),
      ...range(CODES).map((k): Stmt => {
        const name = square(k);
        return { s: 'assign', name, value: plus(vector(name), times(code(k), code(k))) };
      }),
    ]),
    { s: 'let', name: 'squares', value: vec4(range(CODES).map((k) => sumOfLanes(vector(square(k))))) },
    tile,
  ]);
  const r = counter('r', rows - 1);
  const to = c.rows % rows === 0 ? int(rows) : min(int(rows), add(int(c.rows), mul(row0, int(-1))));
  const at = delinearise(min(add(row0, r), int(c.rows - 1)), c.lead);
  const meet = range(CODES - 1).flatMap((k): readonly Stmt[] => {
    const [other, otherCode] = [component(ref('far', f32x4), k + 1), component(ref('which', i32x4), k + 1)];
    const [d, i] = [variable('least', f32), variable('code', i32)];
    return [
      { s: 'let', name: `take${k}`, value: before(other, otherCode, d, i) },
      { s: 'assign', name: 'code', value: where(ref(`take${k}`, bool), otherCode, i) },
      { s: 'assign', name: 'least', value: where(ref(`take${k}`, bool), other, d) },
    ];
  });
  const start = counter('start', rows - 1);
  return {
    workgroupSize: 1,
    groups,
    body: [
      { s: 'array', name: 'distances', type: f32x4, length: rows },
      { s: 'array', name: 'codes', type: i32x4, length: rows },
      loop(start, rows, [
        { s: 'setElement', array: 'distances', index: start, value: splat4(lit(highest.f32, 'f32')) },
      ]),
      stream,
      loop(r, to, [
        { s: 'let', name: 'far', value: element('distances', r, f32x4) },
        { s: 'let', name: 'which', value: element('codes', r, i32x4) },
        { s: 'var', name: 'least', type: f32, value: component(ref('far', f32x4), 0) },
        { s: 'var', name: 'code', type: i32, value: component(ref('which', i32x4), 0) },
        ...meet,
        ...block.store(0, at, variable('code', i32)),
      ]),
    ],
  };
};

/** Rows of a workgroup: many share what a code's square costs, and there must be some for every thread. */
const heights = [16, 32, 8, 4, 2] as const;

export const nearestSimd: KernelTemplate = {
  name: 'nearest-simd',
  version: 1,
  refuses: (n, caps) => {
    if (caps.target !== 'wasm') return 'vectors of an invocation are for processors';
    return nearestCall(n) ? null : 'not a nearest code';
  },
  space: (n) => {
    const { rows } = nearestCall(n)!;
    const [first, ...rest] = heights.filter((h) => h === 2 || h <= rows).map((h) => ({ rows: h }));
    return [first!, ...rest];
  },
  heuristic: (n) => {
    const { rows } = nearestCall(n)!;
    return { rows: heights.find((h) => h <= 16 && rows >= 8 * h) ?? 2 };
  },
  emit,
  ...nearestParts,
};
