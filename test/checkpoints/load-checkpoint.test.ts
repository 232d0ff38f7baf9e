// Published weights into a model's parameters: dtypes converted, shards joined, every fault in one error.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { hostParams, loadNamed, loadParams } from '../../src/checkpoints/load-checkpoint.ts';
import { loadPerceptual, perceptualNet } from '../../src/checkpoints/perceptual.ts';
import { type TensorData, writeSafetensors } from '../../src/data/safetensors/index.ts';
import { namedSpecs } from '../../src/dsl/param.ts';
import { projectBlock } from '../../src/models/project-block.ts';
import { HostTensor } from '../../src/runtime/tensor.ts';
import { values } from '../support/draw.ts';
import { failure, inFolder, run } from '../support/files.ts';

const test = suite('load-checkpoint');
const { spec } = projectBlock(32, 64);
const whole = (): Map<string, TensorData> =>
  new Map(
    namedSpecs(spec).map(({ path, spec: { shape } }, i) => [
      path,
      {
        dtype: 'F32',
        shape,
        data: Float32Array.from(
          values(
            shape.reduce((a, b) => a * b, 1),
            i,
          ),
        ),
      },
    ]),
  );

for (const [floats, tolerance] of [
  ['F32', 0],
  ['F16', 1e-3],
  ['BF16', 1e-2],
] as const)
  test(`${floats} values become f32 parameters`, () =>
    inFolder(async (folder) => {
      const path = join(folder, 'model.safetensors');
      await run(writeSafetensors(path, whole(), { floats }));
      const params = await run(loadParams(path, spec));
      const weight = params.conv1.weight;
      if (!(weight instanceof HostTensor)) throw new Error('not a tensor on the host');
      assert.equal(weight.shape, [64, 32, 1, 1]);
      const wanted = whole().get('conv1.weight')!.data;
      assert.ok(weight.data.every((v, i) => Math.abs(v - Number(wanted[i])) <= tolerance));
    }));

test('shards with an index are one checkpoint', () =>
  inFolder(async (folder) => {
    const entries = [...whole()];
    const shards = [entries.slice(0, 4), entries.slice(4)];
    for (const [i, shard] of shards.entries())
      await run(writeSafetensors(join(folder, `part-${i}.safetensors`), new Map(shard)));
    const placed = shards.flatMap((shard, i) => shard.map(([name]) => [name, `part-${i}.safetensors`]));
    const index = JSON.stringify({ weight_map: Object.fromEntries(placed) });
    await writeFile(join(folder, 'model.safetensors.index.json'), index);
    const named = await run(loadNamed(folder, spec));
    assert.equal(named.get('conv2.weight')!.data, whole().get('conv2.weight')!.data);
  }));

test('everything that does not fit is one error', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'model.safetensors');
    const stored = whole();
    stored.delete('conv1.weight');
    stored.delete('norm1.bias');
    stored.set('norm2.weight', { dtype: 'F32', shape: [3], data: new Float32Array(3) });
    stored.set('other', { dtype: 'F32', shape: [1], data: new Float32Array(1) });
    await run(writeSafetensors(path, stored));
    const message = await failure(loadParams(path, spec));
    for (const part of [path, '4 tensors', 'conv1.weight', 'norm1.bias', 'norm2.weight is [3]', 'other'])
      assert.ok(message.includes(part), `${part} is not in: ${message}`);
  }));

test("a perceptual network: the backbone from a classifier's file, the heads from one of all backbones", () =>
  inFolder(async (folder) => {
    const [backbone, heads] = [join(folder, 'squeezenet.safetensors'), join(folder, 'lpips.safetensors')];
    const specs = namedSpecs(perceptualNet('lpips-squeeze').spec);
    const filled = (shape: readonly number[], value: number): TensorData => ({
      dtype: 'F32',
      shape,
      data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value),
    });
    const stored = { backbone: new Map<string, TensorData>(), heads: new Map<string, TensorData>() };
    for (const [i, { path, spec: s }] of specs.entries())
      if (path.startsWith('net.')) stored.backbone.set(path.slice('net.'.length), filled(s.shape, i));
      else stored.heads.set(`squeeze.${path}`, filled(s.shape, i));
    // What else lies in such files.
    stored.backbone.set('classifier.1.weight', filled([10, 4, 1, 1], -1));
    stored.heads.set('vgg.lin0.model.1.weight', filled([1, 64, 1, 1], -1));
    await run(writeSafetensors(backbone, stored.backbone));
    await run(writeSafetensors(heads, stored.heads));
    const loaded = await run(loadPerceptual('lpips-squeeze', [backbone, heads]));
    assert.equal([...loaded.keys()].sort(), specs.map(({ path }) => path).sort());
    for (const [i, { path, spec: s }] of specs.entries()) {
      const { shape, data } = loaded.get(path)!;
      assert.equal(shape, s.shape);
      assert.ok(
        data.every((v) => v === i),
        path,
      );
    }
    assert.match(
      await failure(loadPerceptual('lpips-squeeze', [backbone])),
      /squeezenet\.safetensors.*lin0\.model\.1\.weight/s,
    );
    assert.match(await failure(loadPerceptual('lpips-alex', [backbone, heads])), /squeezenet\.safetensors.*features/s);
  }));

test('a value that was not loaded is named', () => {
  assert.throws(() => hostParams(spec, new Map()), /no value for the parameter 'norm1.weight'/);
});

test.run();
