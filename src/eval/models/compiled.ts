// Adapters are made of parameters on the device and an expression for each output; only those asked for are computed.

import { castOnce, freePlaced, inSingles, type Placed, placedParams } from '../../checkpoints/index.ts';
import type { ParamsOf } from '../../dsl/param.ts';
import type { Rank4 } from '../../dsl/shape.ts';
import type { AnyTensor, Tensor } from '../../dsl/tensor.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { HostTensor } from '../../runtime/tensor.ts';
import type { EvaluatedModel } from './evaluated-model.ts';

/** An expression for each output, made when it is asked for. */
export type Expressions = Readonly<Record<string, () => AnyTensor>>;

/** A model from the parameters of `spec`, which are its own from now on, and the expressions of its outputs. */
export const compiledModel = <P>(
  runtime: Runtime,
  spec: P,
  placed: Placed,
  about: Omit<EvaluatedModel, 'measure' | 'free'>,
  forward: (params: ParamsOf<P>, images: Tensor<Rank4>) => Expressions,
): EvaluatedModel => {
  const params = placedParams(spec, placed);
  const { size, outputs } = about;
  const programs: { readonly free: () => Promise<void> }[] = [];
  return {
    ...about,
    measure: (names) => {
      const run = runtime.compile(
        (p: ParamsOf<P>, images: Tensor<Rank4>) => {
          const all = forward(inSingles(p, castOnce(runtime)), images);
          return Object.fromEntries(names.map((name) => [name, all[name]!()]));
        },
        { name: `evaluate ${names.join(', ')}` },
      );
      programs.push(run);
      return async (images) => {
        const count = images.length / (3 * size * size);
        const made = await run(params, new HostTensor(images, [count, 3, size, size], 'f32'));
        const values: Record<string, Float32Array | Int32Array> = {};
        for (const name of names) {
          const value = await made[name]!.read();
          const wanted = outputs[name]!.kind === 'codes' ? Int32Array : Float32Array;
          if (!(value instanceof wanted)) throw new Error(`the output '${name}' is ${made[name]!.dtype}`);
          values[name] = value;
          made[name]!.free();
        }
        return values;
      };
    },
    free: async () => {
      for (const program of programs) await program.free();
      freePlaced(placed);
    },
  };
};
