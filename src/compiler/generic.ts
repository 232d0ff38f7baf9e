// Elementwise kernels: an invocation an element, or a few elements where invocations are dear.

import type { Emitted } from '../kernels/template.ts';
import type { Caps } from './ir/caps.ts';
import { call, type Expr, type ExprOf, int, ref, scalarType } from './ir/expr.ts';
import { add, mul } from './ir/index-math.ts';
import { builtins, type Stmt } from './ir/stmt.ts';

export const group = (groups: number): Expr => ref(builtins.group, scalarType('i32'), 0, Math.max(0, groups - 1));
export const local = (size: number): Expr => ref(builtins.local, scalarType('i32'), 0, size - 1);

const workgroupFor = (n: number, caps: Caps): number => (n >= 1 << 16 && caps.limits.invocations >= 256 ? 256 : 64);

/** Elements of an invocation: software adapters pay more for an invocation than for a short loop. */
const shareFor = (n: number, caps: Caps): number => (caps.target === 'wgsl' && caps.software && n >= 1 << 15 ? 4 : 1);

/** An invocation for each of `n` elements, or for a few of them; `body` gets an element's linear index. */
export const elementwise = (n: number, caps: Caps, body: (i: Expr) => readonly Stmt[]): Emitted => {
  const i32 = scalarType('i32');
  const size = workgroupFor(n, caps);
  const share = shareFor(n, caps);
  const groups = Math.ceil(n / (size * share));
  const turn = ref('turn', i32, 0, share - 1) as ExprOf<'ref'>;
  const first = add(mul(group(groups), int(size * share)), local(size));
  const raw = share === 1 ? first : add(first, mul(turn, int(size)));
  const whole = n % (size * share) === 0;
  const then = body(ref('i', i32, 0, n - 1));
  const one: readonly Stmt[] = [
    { s: 'let', name: 'i', value: raw },
    ...(whole ? then : [{ s: 'if' as const, cond: call('lt', ref('i', i32), int(n)), then }]),
  ];
  const all: readonly Stmt[] =
    share === 1 ? one : [{ s: 'for', counter: turn, from: int(0), to: int(share), step: 1, body: one }];
  return { workgroupSize: size, groups, body: all };
};
