// Gradients of a layer by its parameters and inputs: against finite differences in doubles, and on gpu.js against doubles.
import { sizeOf } from '../../src/dsl/core/node.ts';
import type { Node } from '../../src/dsl/core/types.ts';
import { tensor } from '../../src/dsl/ops/inputs.ts';
import { isParamSpec, type ParamSpec, type ParamsOf } from '../../src/dsl/param.ts';
import { type AnyTensor, unwrap, wrap } from '../../src/dsl/tensor.ts';
import { gradients } from '../../src/dsl/transform/pullback.ts';
import { flatten } from '../../src/dsl/tree.ts';
import { agree } from './agree.ts';
import { gpuJs } from './backends.ts';
import { values } from './draw.ts';
import { checkGradients, leaf } from './finite.ts';

/** Throws unless the gradients of all results by all parameters and inputs of these shapes are right. */
export const checkLayer = async <P>(
  spec: P,
  inputs: readonly (readonly number[])[],
  results: (params: ParamsOf<P>, ...xs: readonly Node[]) => readonly AnyTensor[],
): Promise<void> => {
  const flat = flatten<ParamSpec>(spec, isParamSpec);
  const shapes = [...flat.leaves.map((l) => l.value.shape), ...inputs];
  const drawn = shapes.map((shape, i) => values(sizeOf(shape), 40 + i));
  const count = flat.leaves.length;
  const graph = (nodes: readonly Node[]): readonly Node[] =>
    results(flat.rebuild(nodes.slice(0, count).map((n) => wrap(n))) as ParamsOf<P>, ...nodes.slice(count)).map(unwrap);

  const leaves = shapes.map((shape, i) => leaf(shape, drawn[i]));
  checkGradients(graph(leaves.map((l) => l.node)), leaves, { second: false });

  const bound = shapes.map((shape, i) => unwrap(tensor(Float32Array.from(drawn[i]!), shape)));
  const roots = graph(bound);
  const cotangents = roots.map((r, i) => unwrap(tensor(Float32Array.from(values(sizeOf(r.shape), 90 + i)), r.shape)));
  await agree([...roots, ...gradients(roots, cotangents, bound)], { backends: [gpuJs()] });
};
