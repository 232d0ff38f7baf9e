// The derivative of every scalar opcode, one row each. `null` is a zero that nobody builds.
// Not guarded: sqrt and rsqrt at 0, log at 0, division by 0 have infinite derivatives, and `where(ok, sqrt(x), 0)` turns the
// zero cotangent of the branch not taken into 0 * infinity. Guard the input instead: `sqrt(where(ok, x, 1))`.
import * as b from '../core/build.ts';
import type { Binary, Unary } from '../core/op.ts';
import type { Node } from '../core/types.ts';

/** Built only where the source needs it. */
export type Cotangent = (() => Node) | null;

type UnaryRow = ((ct: Node, x: Node, y: Node) => Node) | null;
type BinaryRow = (ct: Node, x: Node, y: Node, out: Node) => readonly [Cotangent, Cotangent];

const zero = (x: Node): Node => b.like(0, x);

export const unaryDerivative: Readonly<Record<Unary, UnaryRow>> = {
  neg: (ct) => b.neg(ct),
  abs: (ct, x) => b.mul(ct, b.sign(x)),
  sign: null,
  exp: (ct, _, y) => b.mul(ct, y),
  log: (ct, x) => b.div(ct, x),
  sqrt: (ct, _, y) => b.div(b.scale(ct, 0.5), y),
  rsqrt: (ct, _, y) => b.mul(b.scale(ct, -0.5), b.mul(y, b.mul(y, y))),
  recip: (ct, _, y) => b.neg(b.mul(ct, b.mul(y, y))),
  tanh: (ct, _, y) => b.mul(ct, b.sub(b.like(1, y), b.mul(y, y))),
  erf: (ct, x) => b.mul(b.scale(ct, 2 / Math.sqrt(Math.PI)), b.exp(b.neg(b.mul(x, x)))),
  sin: (ct, x) => b.mul(ct, b.cos(x)),
  cos: (ct, x) => b.neg(b.mul(ct, b.sin(x))),
  floor: null,
  ceil: null,
  round: null,
  not: null,
};

/** The value that `x` has everywhere, if it is a constant seen through views. */
const constantOf = (x: Node): number | null => {
  let n = x;
  while (n.op.kind === 'view' && (n.op.view.v === 'reshape' || n.op.view.v === 'expand')) n = n.src[0]!;
  return n.op.kind === 'const' ? n.op.value : null;
};

/** At equal operands each gets half. */
const share = (ct: Node, mine: Node, other: Node, wins: (x: Node, y: Node) => Node): Node =>
  b.where(wins(mine, other), ct, b.where(b.eq(mine, other), b.scale(ct, 0.5), zero(ct)));

const greater = (x: Node, y: Node): Node => b.lt(y, x);

/** d(x^y)/dx = y x^(y-1), which is 0 where y is; without a power where a constant exponent allows it. */
const powerBase = (ct: Node, x: Node, y: Node): Node => {
  const exponent = constantOf(y);
  if (exponent === 0) return zero(ct);
  if (exponent === 1) return ct;
  if (exponent === 2) return b.mul(ct, b.scale(x, 2));
  if (exponent !== null) return b.mul(ct, b.mul(y, b.pow(x, b.like(exponent - 1, y))));
  const flat = b.eq(y, zero(y));
  const slope = b.mul(y, b.pow(x, b.where(flat, b.like(1, y), b.addConst(y, -1))));
  return b.mul(ct, b.where(flat, zero(y), slope));
};

/** d(x^y)/dy = x^y log x, and 0 where x is not positive. */
const powerExponent = (ct: Node, x: Node, out: Node): Node => {
  const positive = b.lt(zero(x), x);
  return b.mul(ct, b.where(positive, b.mul(out, b.log(b.where(positive, x, b.like(1, x)))), zero(x)));
};

const none: BinaryRow = () => [null, null];

export const binaryDerivative: Readonly<Record<Binary, BinaryRow>> = {
  add: (ct) => [() => ct, () => ct],
  sub: (ct) => [() => ct, () => b.neg(ct)],
  mul: (ct, x, y) => [() => b.mul(ct, y), () => b.mul(ct, x)],
  div: (ct, _, y, out) => [() => b.div(ct, y), () => b.neg(b.div(b.mul(ct, out), y))],
  max: (ct, x, y) => [() => share(ct, x, y, greater), () => share(ct, y, x, greater)],
  min: (ct, x, y) => [() => share(ct, x, y, b.lt), () => share(ct, y, x, b.lt)],
  pow: (ct, x, y, out) => [() => powerBase(ct, x, y), () => powerExponent(ct, x, out)],
  // x - y * trunc(x / y)
  mod: (ct, x, y, out) => [() => ct, () => b.neg(b.mul(ct, b.div(b.sub(x, out), y)))],
  lt: none,
  le: none,
  eq: none,
  ne: none,
  and: none,
  or: none,
  xor: none,
  shl: none,
  shr: none,
};
