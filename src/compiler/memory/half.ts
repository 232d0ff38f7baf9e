// Sixteen-bit floats where a device has no type for them: they are stored in pairs, by elementwise kernels alone.
import { cast } from '../../dsl/core/build.ts';
import type { DType } from '../../dsl/core/dtype.ts';
import { makeNode, rewrite, withSources } from '../../dsl/core/node.ts';
import type { Kind } from '../../dsl/core/op.ts';
import { withOrigin } from '../../dsl/core/provenance.ts';
import type { Node } from '../../dsl/core/types.ts';
import type { Caps } from '../ir/caps.ts';

/** Whether two elements of the dtype share a word, so that one invocation has to write both. */
export const isPacked = (d: DType, caps: Pick<Caps, 'target' | 'f16'>): boolean =>
  caps.target === 'wgsl' && (d === 'bf16' || (d === 'f16' && !caps.f16));

const notElementwise: ReadonlySet<Kind> = new Set(['reduce', 'contract', 'conv', 'cumulate', 'scatter']);

/** Results that only a kernel with loops can make, in f32 and then cast: what is stored packed is elementwise. */
export const widenHalf = (roots: readonly Node[], caps: Caps): readonly Node[] =>
  caps.target !== 'wgsl' || caps.f16
    ? roots
    : rewrite(roots, (original, src) => {
        const n = withSources(original, src);
        if (n.dtype !== 'f16' || !notElementwise.has(n.op.kind)) return n;
        return withOrigin(original, () =>
          cast(
            makeNode(
              n.op,
              n.src.map((s) => (s.dtype === 'f16' ? cast(s, 'f32') : s)),
            ),
            'f16',
          ),
        );
      });
