// Tensors that close over their data, evaluated in doubles.
import { isKind, topological } from '../../src/dsl/core/node.ts';
import { boundData } from '../../src/dsl/ops/inputs.ts';
import { type AnyTensor, unwrap } from '../../src/dsl/tensor.ts';
import { interpret } from './interpret.ts';

/** The values of `xs`, row-major. */
export const valuesOf = (...xs: readonly AnyTensor[]): readonly Float64Array[] => {
  const roots = xs.map(unwrap);
  const inputs = topological(roots).flatMap((n) => (isKind(n, 'input') ? [[n.op.slot, boundData(n)!] as const] : []));
  return interpret(roots, new Map(inputs));
};
