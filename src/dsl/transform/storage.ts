// bf16 is a storage type without arithmetic: cotangents that have to be added are added in f32.
import { cast } from '../core/build.ts';
import type { Node } from '../core/types.ts';

/** `f` of the cotangent, in f32 where it is bf16. */
export const inF32 = (ct: Node, f: (ct: Node) => Node): Node =>
  ct.dtype === 'bf16' ? cast(f(cast(ct, 'f32')), 'bf16') : f(ct);
