// A spec's starting values, drawn on a device when they are read: a large model's are never all in memory.
import { initParams } from '../dsl/init.ts';
import { key } from '../dsl/ops/random.ts';
import { namedSpecs } from '../dsl/param.ts';
import type { AnyTensor, ScalarTensor } from '../dsl/tensor.ts';
import { once } from '../runtime/once.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { u32 } from '../runtime/tensor.ts';
import type { NamedTensor } from './named-tensors.ts';
import type { TensorSource } from './source.ts';

/** The values that a trainer starts with under this seed, by path. Reading throws RunFailure where the device cannot draw them. */
export const drawnSource = ({ compile }: Pick<Runtime, 'compile'>, spec: unknown, seed: number): TensorSource => {
  const specs = new Map(namedSpecs(spec).map(({ path, spec: s }) => [path, s]));
  return {
    shapes: new Map([...specs].map(([path, { shape }]) => [path, shape])),
    read: async (names) => {
      const wanted = Object.fromEntries(names.map((name) => [name, specs.get(name)]));
      const draw = (root: ScalarTensor<'u32'>): readonly AnyTensor[] => {
        const made = initParams(wanted)({ key: key(root), path: '' });
        return names.map((name) => made[name]!);
      };
      const drawn = await once(compile(draw, { name: 'initialisation' }), (run) => run(u32(seed)));
      const read: (readonly [string, NamedTensor])[] = [];
      for (const [i, tensor] of drawn.entries()) {
        const values = await tensor.read();
        if (!(values instanceof Float32Array))
          throw new Error(`the parameter '${names[i]}' is ${tensor.dtype}, not f32`);
        read.push([names[i]!, { shape: tensor.shape, data: new Float32Array(values) }]);
        tensor.free();
      }
      return new Map(read);
    },
  };
};
