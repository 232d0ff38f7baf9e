// Elementwise kernels: an invocation an element, or a few elements where invocations are dear.

import type { Emitted } from '../../kernels/template.ts';
import { loop } from '../ir/build.ts';
import { builtins } from '../ir/builtins.ts';
import type { Caps } from '../ir/caps.ts';
import { call, type Expr, i32, int, ref } from '../ir/expr.ts';
import { add, mul } from '../ir/index-math.ts';
import type { Stmt } from '../ir/stmt.ts';

export const group = (groups: number): Expr => ref(builtins.group, i32, 0, Math.max(0, groups - 1));
export const local = (size: number): Expr => ref(builtins.local, i32, 0, size - 1);

/** How elementwise kernels go through their elements; every way gives the same bits. */
export interface Coarsening {
  /** Invocations of a workgroup. */
  readonly workgroup: number;
  /** Elements of an invocation, or quads of them, one after the other. */
  readonly elements: number;
}

/** For `n` elements. Software adapters pay more for an invocation than for a short loop. */
export const coarseningFor = (n: number, caps: Caps): Coarsening => ({
  workgroup: n >= 1 << 16 && caps.limits.invocations >= 256 ? 256 : 64,
  elements: caps.target === 'wgsl' && caps.software && n >= 1 << 15 ? 4 : 1,
});

/** What may be measured for `n` elements. */
export const coarsenings = (n: number, caps: Caps): readonly Coarsening[] =>
  [32, 64, 128, 256, 512]
    .flatMap((workgroup) => [1, 2, 4, 8, 16].map((elements) => ({ workgroup, elements })))
    .filter((c) => c.workgroup <= caps.limits.invocations && c.workgroup * c.elements <= Math.max(64, n));

/** An invocation for each of `n` elements, or for a few of them; `body` gets an element's linear index. */
export const elementwise = (
  n: number,
  caps: Caps,
  body: (i: Expr) => readonly Stmt[],
  { workgroup: size, elements: share } = coarseningFor(n, caps),
): Emitted => {
  const groups = Math.ceil(n / (size * share));
  const turn = ref('turn', i32, 0, share - 1);
  const first = add(mul(group(groups), int(size * share)), local(size));
  const raw = share === 1 ? first : add(first, mul(turn, int(size)));
  const whole = n % (size * share) === 0;
  const then = body(ref('i', i32, 0, n - 1));
  const one: readonly Stmt[] = [
    { s: 'let', name: 'i', value: raw },
    ...(whole ? then : [{ s: 'if' as const, cond: call('lt', ref('i', i32), int(n)), then }]),
  ];
  const all: readonly Stmt[] = share === 1 ? one : [loop(turn, share, one)];
  return { workgroupSize: size, groups, body: all };
};

/** Elements of a workgroup at least, where rows are short. */
const TOGETHER = 256;

/** Rows of elements whose number is no multiple of four, by quads and what is left of each row; both get a first linear index. */
export const elementwiseRows = (
  rows: number,
  length: number,
  caps: Caps,
  one: (i: Expr) => readonly Stmt[],
  quad: (i: Expr) => readonly Stmt[],
): Emitted => {
  const whole = Math.floor(length / 4);
  const workgroup = Math.max(1, Math.min(rows, Math.floor(TOGETHER / length)));
  const counter = ref('quad', i32, 0, whole - 1);
  const rest = Array.from({ length: length % 4 }, (_, k) => 4 * whole + k);
  return elementwise(
    rows,
    caps,
    (row) => {
      const first = mul(row, int(length));
      return [
        loop(counter, whole, quad(add(first, mul(counter, int(4))))),
        ...rest.flatMap((k) => one(add(first, int(k)))),
      ];
    },
    { workgroup, elements: 1 },
  );
};
