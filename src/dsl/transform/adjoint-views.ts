// The adjoint of every view, as views: what was read twice is summed, what was not read gets zeros.
import { match } from 'ts-pattern';
import * as b from '../core/build.ts';
import type { View } from '../core/op.ts';
import type { Node } from '../core/types.ts';
import { inF32 } from './storage.ts';

type Dims = readonly number[];
type Of<V extends View['v']> = Extract<View, { readonly v: V }>;

const sliceAdjoint = ({ start, step }: Of<'slice'>, x: Dims, ct: Node): Node => {
  const spread = (d: number, i: number): number => (d === 0 ? 0 : (d - 1) * step[i]! + 1);
  const before = ct.shape.map((d, i) => (d === 0 ? 0 : start[i]!));
  const after = ct.shape.map((d, i) => x[i]! - before[i]! - spread(d, i));
  return b.pad(
    ct,
    before,
    after,
    0,
    step.map((s, i) => (ct.shape[i]! > 1 ? s - 1 : 0)),
  );
};

const padAdjoint = ({ before, after, interior }: Of<'pad'>, x: Dims, ct: Node): Node => {
  const low = before.map((p) => Math.max(0, p));
  const high = ct.shape.map((d, i) => d - Math.max(0, after[i]!));
  // Cropped beyond recognition: nothing of x was read along some axis.
  if (low.some((l, i) => l >= high[i]!)) return b.full(0, x, ct.dtype);
  const inside = b.slice(ct, low, high);
  const restored = b.pad(
    inside,
    before.map((p) => Math.max(0, -p)),
    after.map((p) => Math.max(0, -p)),
  );
  const zero = restored.shape.map(() => 0);
  return b.slice(
    restored,
    zero,
    restored.shape,
    interior.map((k) => k + 1),
  );
};

const expandAdjoint = (x: Dims, ct: Node): Node => {
  const repeated = x.map((_, i) => i).filter((i) => x[i] === 1 && ct.shape[i] !== 1);
  return repeated.length === 0 ? ct : inF32(ct, (c) => b.reduceKeep('sum', c, repeated));
};

/** Extends `ct` so that every position that the slide reads exists: positions past the end held nothing. */
const unslideAdjoint = (view: Of<'unslide'>, x: Dims, ct: Node): Node => {
  const { axis, window, stride, dilation } = view;
  const reach = (x[axis]! - 1) * stride + (x[window]! - 1) * dilation + 1;
  const missing = Math.max(0, reach - ct.shape[axis]!);
  const none = x.map(() => 0);
  const whole = b.pad(
    ct,
    none,
    none.map((_, i) => (i === axis ? missing : 0)),
  );
  return b.slide(whole, axis, window, stride, dilation, x[axis]!);
};

/** The cotangent of a view's source, of shape `x`. */
export const viewAdjoint = (view: View, x: Dims, ct: Node): Node =>
  match(view)
    .with({ v: 'reshape' }, () => b.reshape(ct, x))
    .with({ v: 'permute' }, ({ perm }) =>
      b.permute(
        ct,
        perm.map((_, i) => perm.indexOf(i)),
      ),
    )
    .with({ v: 'expand' }, () => expandAdjoint(x, ct))
    .with({ v: 'slice' }, (v) => sliceAdjoint(v, x, ct))
    .with({ v: 'pad' }, (v) => padAdjoint(v, x, ct))
    .with({ v: 'flip' }, ({ axes }) => b.flip(ct, axes))
    .with({ v: 'slide' }, ({ axis, window, stride, dilation }) =>
      b.unslide(ct, axis, window, stride, dilation, x[axis]!),
    )
    .with({ v: 'unslide' }, (v) => unslideAdjoint(v, x, ct))
    .exhaustive();
