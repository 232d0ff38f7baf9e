// A model file with what it is run on.
import type { HostArray } from '../workloads/values.ts';
import { type ElementType, type GraphBuilder, onnxModel, type Value } from './graph.ts';

export interface Typed {
  readonly type: ElementType;
  readonly shape: readonly number[];
}
export interface Feed extends Typed {
  /** f16 as bits. */
  readonly data: Float32Array | Uint16Array;
}

/** A model with what it is run on, and the one result that it gives. */
export interface Model {
  readonly bytes: Uint8Array;
  readonly feeds: Readonly<Record<string, Feed>>;
  readonly output: Typed & { readonly name: string };
  /** The result in the order of the workload, where it is another. */
  readonly reorder?: (values: Float32Array<ArrayBuffer>) => Float32Array;
}

/** A model of f32 `inputs` under their names. */
export const f32Model = (
  inputs: Readonly<Record<string, HostArray>>,
  shape: readonly number[],
  build: (g: GraphBuilder) => Value,
  type: ElementType = 'f32',
): Model => {
  let name = '';
  const bytes = onnxModel((g) => {
    for (const [input, x] of Object.entries(inputs)) g.input(input, x.shape);
    name = build(g);
    g.output(name, shape, type);
  });
  const feeds = Object.entries(inputs).map(([input, x]) => [input, { type: 'f32', ...x }]);
  return { bytes, feeds: Object.fromEntries(feeds), output: { name, type, shape } };
};
