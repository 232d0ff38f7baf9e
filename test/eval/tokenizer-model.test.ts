// A tokenizer file, MobileNetV2 and LPIPS as evaluated models: what they give is what the models themselves give.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { z } from 'zod';
import { publishModel } from '../../src/checkpoints/publish.ts';
import { wholeFile } from '../../src/checkpoints/source.ts';
import { openTokenizer } from '../../src/checkpoints/tokenizer.ts';
import { noCache } from '../../src/compiler/cache/cache.ts';
import { readAllValues, readImage, toChannels, writeSafetensors } from '../../src/data/index.ts';
import { input } from '../../src/dsl/core/build.ts';
import { isParamSpec, namedSpecs, type ParamsOf } from '../../src/dsl/param.ts';
import type { Rank4 } from '../../src/dsl/shape.ts';
import { type Tensor, wrap } from '../../src/dsl/tensor.ts';
import { flatten } from '../../src/dsl/tree.ts';
import { openLpips, openModel, outputsOf } from '../../src/eval/models/index.ts';
import { withFeatures } from '../../src/eval/models/tokenizer-features.ts';
import { lpipsSqueeze, mobileNetV2, mobileNetV2Default } from '../../src/models/features/index.ts';
import { variants } from '../../src/models/variants/index.ts';
import { openRuntime, type Runtime } from '../../src/runtime/runtime.ts';
import { centre } from '../models/features/published.ts';
import { tinyModel, tinyVariant, writeTinyTokenizer } from '../support/command.ts';
import { failure, inFolder, run } from '../support/files.ts';
import { near } from '../support/near.ts';
import { projectDir, sharedDir } from '../support/shared.ts';
import { skip } from '../support/skip.ts';

const test = suite('tokenizers, MobileNetV2 and LPIPS as evaluated models');

const withRuntime = async (body: (runtime: Runtime) => Promise<void>): Promise<void> => {
  const runtime = await openRuntime({ backend: 'wasm', cache: noCache });
  try {
    await body(runtime);
  } finally {
    runtime.close();
  }
};

const wave = (length: number, seed: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => Math.sin(i * 0.37 * seed + seed));

test('a tokenizer: codes and pictures are those of encode and decode, features have their widths', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'tiny.safetensors');
    await writeTinyTokenizer(path);
    await withRuntime(async (runtime) => {
      const model = await run(openModel(runtime, path));
      const { encode, decode } = await run(openTokenizer(runtime, path));
      assert.equal([model.size, model.family, model.embedding, model.textTower], [16, 'dualtoken', 'pooled', null]);
      assert.equal(outputsOf(model, 'features'), ['pooled', 'pooled-continuous', 'pixel-codes', 'semantic-codes']);
      const [one, size] = [3 * 16 * 16, 2];
      const images = wave(size * one, 1);
      const made = await model.measure(Object.keys(model.outputs))(images);
      for (let n = 0; n < size; n++) {
        const codes = await encode(images.slice(n * one, (n + 1) * one));
        for (const name of ['pixel', 'semantic'] as const)
          assert.equal([...made[name]!.slice(n * 8, (n + 1) * 8)], [...codes[name]!], `${name} ${n}`);
        const painted = made.reconstruction!.slice(n * one, (n + 1) * one);
        near(painted, await decode(codes.pixel!), 1e-5, `picture ${n}`);
      }
      for (const name of outputsOf(model, 'features')) {
        assert.is(made[name]!.length, size * 32, name);
        assert.ok(made[name]!.every(Number.isFinite) && made[name]!.some((x) => x !== 0), name);
      }
      assert.not.equal([...made.pooled!], [...made['pooled-continuous']!]);
      // One output by itself is the same.
      near((await model.measure(['pooled'])(images)).pooled!, made.pooled!, 1e-5, 'pooled');
      // And so is a folder in the published layout.
      const published = join(folder, 'published');
      await run(publishModel(published, tinyVariant(), await run(wholeFile(path))));
      const again = await (await run(openModel(runtime, published))).measure(['pooled'])(images);
      assert.equal(again.pooled, made.pooled);
    });
  });
});

test('without quantisation a tokenizer’s pooled feature is that of the plain SigLIP tower with its weights', async () => {
  await inFolder(async (folder) => {
    const [path, plain] = [join(folder, 'tiny.safetensors'), join(folder, 'siglip')];
    await writeTinyTokenizer(path);
    const prefix = 'siglip_model.vision_model.';
    const tower = [...(await run(readAllValues(path)))].flatMap(([name, tensor]) =>
      name.startsWith(prefix) ? [[`vision_model.${name.slice(prefix.length)}`, tensor] as const] : [],
    );
    await mkdir(plain);
    await run(writeSafetensors(join(plain, 'model.safetensors'), new Map(tower)));
    const { vision } = tinyModel;
    const text_config = { ...vision, vocab_size: 14, max_position_embeddings: 8 };
    await writeFile(
      join(plain, 'config.json'),
      JSON.stringify({ model_type: 'siglip', vision_config: vision, text_config }),
    );
    await withRuntime(async (runtime) => {
      const images = wave(3 * 3 * 16 * 16, 3);
      const tokenizer = await run(openModel(runtime, path));
      const bypassed = (await tokenizer.measure(['pooled-continuous'])(images))['pooled-continuous']!;
      const siglip = await (await run(openModel(runtime, plain))).measure(['pooled'])(images);
      assert.is(bypassed.length, 3 * 32);
      near(bypassed, siglip.pooled!, 1e-6, 'pooled');
    });
  });
});

/** The parameters of a spec as inputs that nobody binds. */
const inputsOf = <P>(spec: P): ParamsOf<P> => {
  const flat = flatten(spec, isParamSpec);
  return flat.rebuild(
    flat.leaves.map(({ path, value }) => wrap(input(path, value.shape, value.dtype, 'param'))),
  ) as ParamsOf<P>;
};

test('every variant has the features that it says it has', () => {
  for (const [name, variant] of Object.entries(variants))
    withFeatures(variant, (system, features) => {
      const images: Tensor<Rank4> = wrap(input('images', [2, 3, system.size, system.size], 'f32'));
      const made = features.of(inputsOf(system.spec), inputsOf(system.tablesSpec))(images);
      for (const [feature, width] of Object.entries(features.widths))
        assert.equal(made[feature]!().shape, [2, width], `${feature} of ${name}`);
      if (features.embedding !== null) assert.ok(features.embedding in features.widths, name);
      assert.ok(Object.keys(features.widths).length > 0, name);
    });
});

test('MobileNetV2: the features of the reference, with real weights', async () => {
  const shared = sharedDir();
  if (shared === null) return skip('MobileNetV2’s weights are in ../shared/data');
  const folder = join(shared, 'data', 'mobilenet_v2_10_224-imagenet');
  const golden = z
    .object({ pool_first16: z.array(z.number()), pool_mean: z.number() })
    .parse(JSON.parse(await readFile(join(folder, 'golden.json'), 'utf8')));
  const photo = await run(readImage(join(projectDir, 'assets', 'photos', 'chelsea.png')));
  await withRuntime(async (runtime) => {
    const model = await run(openModel(runtime, folder));
    assert.equal([model.size, model.family, model.embedding], [224, 'MobileNetV2', null]);
    const pooled = (await model.measure(['pooled'])(toChannels(centre(photo, 224), model.normalisation))).pooled!;
    assert.is(pooled.length, 1280);
    near(pooled.slice(0, 16), golden.pool_first16, 1e-4, 'pooled');
    near([Array.from(pooled).reduce((sum, x) => sum + x, 0) / 1280], [golden.pool_mean], 1e-4, 'mean');
  });
});

test('MobileNetV2 as published sees the middle of 256 pixels, a folded one a square of its own size', async () => {
  await inFolder(async (folder) => {
    const id2label = { 0: 'a', 1: 'b', 2: 'c' };
    const stated = { model_type: 'mobilenet_v2', depth_multiplier: 0.35, tf_padding: true, id2label };
    const { spec } = mobileNetV2({ ...mobileNetV2Default, depth_multiplier: 0.35, classes: 3 });
    const tensors = namedSpecs(spec).map(({ path, spec: { shape } }) => {
      const data = new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.1);
      return [path, { dtype: 'F32', shape, data }] as const;
    });
    await writeFile(join(folder, 'config.json'), JSON.stringify(stated));
    await run(writeSafetensors(join(folder, 'model.safetensors'), new Map(tensors)));
    await withRuntime(async (runtime) => {
      const model = await run(openModel(runtime, folder));
      assert.equal(model.transform, { kind: 'centre-crop', size: 224, shorter: 256, filter: 'bilinear' });
      await model.free();
    });
  });
  const shared = sharedDir();
  if (shared === null) return skip('the folded MobileNetV2 is in ../shared/data');
  await withRuntime(async (runtime) => {
    const model = await run(openModel(runtime, join(shared, 'data', 'mobilenet_v2_10_224-imagenet')));
    assert.equal(model.transform, { kind: 'centre-crop', size: 224 });
    await model.free();
  });
});

test('LPIPS from one file: nothing between equal pictures, the same both ways, pair by pair', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'lpips.safetensors');
    const tensors = namedSpecs(lpipsSqueeze().spec).map(({ path: name, spec: { shape } }, n) => {
      const data = wave(
        shape.reduce((a, b) => a * b, 1),
        n + 1,
      ).map((x) => (name.startsWith('lin') ? Math.abs(x) : x / 8));
      return [name, { dtype: 'F32', shape, data: Float32Array.from(data) }] as const;
    });
    await run(writeSafetensors(path, new Map(tensors)));
    await withRuntime(async (runtime) => {
      const distance = await run(openLpips(runtime, 'squeeze', [path]));
      const [a, b] = [wave(2 * 3 * 32 * 32, 1), wave(2 * 3 * 32 * 32, 2)];
      near(await distance(a, a, 2, 32), [0, 0], 1e-7, 'itself');
      const there = await distance(a, b, 2, 32);
      assert.ok(there.every((x) => x > 0));
      near(await distance(b, a, 2, 32), there, 1e-5, 'back');
      const mixed = Float32Array.of(...a.slice(0, 3072), ...b.slice(3072));
      near(await distance(mixed, a, 2, 32), [0, there[1]!], 1e-5, 'pairs');
      const small = new Float32Array(3 * 16 * 16);
      const said = await distance(small, small, 1, 16).catch((thrown: unknown) => thrown);
      assert.instance(said, RangeError);
      assert.is(
        (said as RangeError).message,
        "LPIPS: 'lpips-squeeze' takes pictures of 17 x 17 at least; these are of 16 x 16",
      );
    });
  });
});

test('files that are no model are named', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'odd.safetensors');
    await run(writeSafetensors(path, new Map([['x', { dtype: 'F32', shape: [1], data: new Float32Array(1) }]])));
    await withRuntime(async (runtime) => {
      assert.match(await failure(openModel(runtime, path)), /odd.safetensors: it carries no configuration/);
      assert.match(await failure(openModel(runtime, join(folder, 'none'))), /none: no such file/);
      assert.match(await failure(openLpips(runtime, 'vgg', [path])), /tensors do not fit the model/);
      const text = join(folder, 'text.safetensors');
      await writeFile(text, 'no tensors');
      assert.match(await failure(openModel(runtime, text)), /text.safetensors/);
    });
  });
});

test.run();
