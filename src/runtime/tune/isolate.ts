// A call by itself: its operands cut off where they are stored, so that one kernel can be measured as it lies in memory.
import { input } from '../../dsl/core/build.ts';
import { makeNode, withSources } from '../../dsl/core/node.ts';
import type { Node } from '../../dsl/core/types.ts';

export interface Isolated {
  readonly inputs: readonly Node[];
  /** The call itself, over the fresh inputs. */
  readonly call: Node;
  readonly outputs: readonly Node[];
}

/** The call over fresh inputs, with the views between them and its operands kept. */
export const isolate = (call: Node): Isolated => {
  const fresh = new Map<Node, Node>();
  const inputs: Node[] = [];
  const cut = (n: Node): Node => {
    if (n.op.kind === 'view') return withSources(n, n.src.map(cut));
    const known = fresh.get(n);
    if (known) return known;
    const made = input(`operand${fresh.size}`, n.shape, n.dtype);
    // What was copied for the call stays a copy, or it would be copied once more.
    const operand = n.op.kind === 'mark' && n.op.mark.m === 'materialise' ? withSources(n, [made]) : made;
    fresh.set(n, operand);
    inputs.push(made);
    return operand;
  };
  const alone = withSources(call, call.src.map(cut));
  const outputs =
    alone.op.kind === 'fused' ? alone.outs.map((_, index) => makeNode({ kind: 'pick', index }, [alone])) : [alone];
  return { inputs, call: alone, outputs };
};
