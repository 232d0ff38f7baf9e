// The nearest code where subgroups have no fixed size: a workgroup shares the codes of a few rows, each invocation keeps the best of
// its own, and they meet in workgroup memory. No distance matrix.
import { counter, loop, plus, range, times } from '../../compiler/ir/build.ts';
import { builtins } from '../../compiler/ir/builtins.ts';
import {
  bool,
  call,
  dot,
  type Expr,
  element,
  f32,
  f32x4,
  i32,
  int,
  lit,
  ref,
  variable,
  where,
} from '../../compiler/ir/expr.ts';
import { add, delinearise, min, mul } from '../../compiler/ir/index-math.ts';
import type { Stmt } from '../../compiler/ir/stmt.ts';
import { highest } from '../../dsl/core/dtype.ts';
import type { KernelTemplate } from '../template.ts';
import { before, codeQuad, nearestCall, nearestParts, rowQuad } from './call.ts';

const ZERO = lit(0, 'f32');

const emit: KernelTemplate['emit'] = (n, schedule, block) => {
  const c = nearestCall(n)!;
  const [rows, size] = [Number(schedule.rows), Number(schedule.size)];
  const groups = Math.ceil(c.rows / rows);
  const local = ref(builtins.local, i32, 0, size - 1);
  const row0 = mul(ref(builtins.group, i32, 0, Math.max(0, groups - 1)), int(rows));
  const steps = Math.ceil(c.codes / size);
  const step = counter('step', steps - 1);
  const code = add(mul(step, int(size)), local);
  const quad = counter('quad', Math.ceil(c.width / 4) - 1);
  const own = ref('own', f32x4);
  const [squares, s] = [variable('squares', f32), (r: number): Expr => variable(`s${r}`, f32)];
  const [d, i] = [(r: number): Expr => variable(`best${r}`, f32), (r: number): Expr => variable(`code${r}`, i32)];
  const compare = range(rows).flatMap((r): readonly Stmt[] => {
    const away = ref(`away${r}`, f32);
    const closer = call('lt', away, d(r));
    const nearer = ref(`nearer${r}`, bool);
    return [
      { s: 'let', name: `away${r}`, value: plus(squares, times(s(r), lit(-2, 'f32'))) },
      {
        s: 'let',
        name: `nearer${r}`,
        value: c.codes % size === 0 ? closer : call('and', closer, call('lt', code, int(c.codes))),
      },
      { s: 'assign', name: `code${r}`, value: where(nearer, code, i(r)) },
      { s: 'assign', name: `best${r}`, value: where(nearer, away, d(r)) },
    ];
  });
  const stream: Stmt = loop(step, steps, [
    { s: 'var', name: 'squares', type: f32, value: ZERO },
    ...range(rows).map((r): Stmt => ({ s: 'var', name: `s${r}`, type: f32, value: ZERO })),
    loop(quad, Math.ceil(c.width / 4), [
      { s: 'let', name: 'own', value: codeQuad(c, block, code, quad) },
      { s: 'assign', name: 'squares', value: plus(squares, dot(own, own)) },
      ...range(rows).map(
        (r): Stmt => ({
          s: 'assign',
          name: `s${r}`,
          value: plus(s(r), dot(rowQuad(c, block, add(row0, int(r)), quad), own)),
        }),
      ),
    ]),
    ...compare,
  ]);
  const place = (r: number, at: Expr): Expr => add(int(r * size), at);
  const put = range(rows).flatMap((r): readonly Stmt[] => [
    { s: 'setElement', array: 'distances', index: place(r, local), value: d(r) },
    { s: 'setElement', array: 'codes', index: place(r, local), value: i(r) },
  ]);
  const tree: Stmt[] = [];
  for (let half = size / 2; half >= 1; half /= 2) {
    const merge = range(rows).flatMap((r): readonly Stmt[] => {
      const other = element('distances', place(r, add(local, int(half))), f32);
      const otherCode = element('codes', place(r, add(local, int(half))), i32);
      const take = variable(`take${r}`, bool);
      return [
        { s: 'var', name: `take${r}`, type: bool, value: before(other, otherCode, d(r), i(r)) },
        { s: 'assign', name: `best${r}`, value: where(take, other, d(r)) },
        { s: 'assign', name: `code${r}`, value: where(take, otherCode, i(r)) },
      ];
    });
    tree.push({ s: 'if', cond: call('lt', local, int(half)), then: [...merge, ...put] }, { s: 'barrier' });
  }
  const r = counter('r', rows - 1);
  const to = c.rows % rows === 0 ? int(rows) : min(int(rows), add(int(c.rows), mul(row0, int(-1))));
  const at = delinearise(min(add(row0, r), int(c.rows - 1)), c.lead);
  const result = element('codes', mul(r, int(size)), i32);
  return {
    workgroupSize: size,
    groups,
    arrays: [
      { name: 'distances', type: f32, length: rows * size },
      { name: 'codes', type: i32, length: rows * size },
    ],
    body: [
      ...range(rows).flatMap((k): readonly Stmt[] => [
        { s: 'var', name: `best${k}`, type: f32, value: lit(highest.f32, 'f32') },
        { s: 'var', name: `code${k}`, type: i32, value: int(0) },
      ]),
      stream,
      ...put,
      { s: 'barrier' },
      ...tree,
      {
        s: 'if',
        cond: call('eq', local, int(0)),
        then: [loop(r, to, block.store(0, at, result))],
      },
    ],
  };
};

export const nearestWorkgroup: KernelTemplate = {
  name: 'nearest-workgroup',
  version: 1,
  refuses: (n, caps) => {
    if (!nearestCall(n)) return 'not a nearest code';
    return caps.limits.invocations >= 64 && caps.limits.workgroupBytes >= 64 * 4 * 8
      ? null
      : 'workgroups are too small';
  },
  space: () => [
    { rows: 4, size: 64 },
    { rows: 2, size: 64 },
    { rows: 1, size: 64 },
  ],
  heuristic: (n) => ({ rows: Math.min(4, nearestCall(n)!.rows), size: 64 }),
  emit,
  ...nearestParts,
};
