// Adapters are made of parameters on the device and an expression for each output; only those asked for are computed.
import { isParamSpec, type ParamsOf } from '../../dsl/param.ts';
import type { Rank4 } from '../../dsl/shape.ts';
import type { AnyTensor, Tensor } from '../../dsl/tensor.ts';
import { flatten } from '../../dsl/tree.ts';
import type { Values } from '../../runtime/jit.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { DeviceTensor, HostTensor } from '../../runtime/tensor.ts';
import type { NamedTensors } from '../../train/vectors.ts';
import type { EvaluatedModel } from './evaluated-model.ts';

/** The parameters of `spec` on the device. @throws RunFailure where there is no room */
export const placeParams = async <P>(runtime: Runtime, spec: P, named: NamedTensors): Promise<Values<ParamsOf<P>>> => {
  const flat = flatten(spec, isParamSpec);
  const on = flat.leaves.map(({ path, value }) => runtime.upload(named.get(path)!.data, value.shape));
  // Rebuilt by the spec's own form.
  return flat.rebuild<Values<ParamsOf<P>>>(await Promise.all(on));
};

/** An expression for each output, made when it is asked for. */
export type Expressions = Readonly<Record<string, () => AnyTensor>>;

/** A model from its parameters by path and the expressions of its outputs. @throws RunFailure where there is no room */
export const compiledModel = async <P>(
  runtime: Runtime,
  spec: P,
  named: NamedTensors,
  about: Omit<EvaluatedModel, 'measure' | 'free'>,
  forward: (params: ParamsOf<P>, images: Tensor<Rank4>) => Expressions,
): Promise<EvaluatedModel> => {
  const params = await placeParams(runtime, spec, named);
  const { size, outputs } = about;
  const programs: { readonly free: () => Promise<void> }[] = [];
  return {
    ...about,
    measure: (names) => {
      const run = runtime.compile(
        (p: ParamsOf<P>, images: Tensor<Rank4>) => {
          const all = forward(p, images);
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
      for (const { value } of flatten(params, (x) => x instanceof DeviceTensor).leaves) value.free();
    },
  };
};
