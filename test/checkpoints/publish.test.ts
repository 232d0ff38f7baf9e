// Checkpoints in the published layout: written whole or not at all, drawn as a trainer draws, and read in the precision in which they are stored.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { drawnSource } from '../../src/checkpoints/draw.ts';
import type { NamedTensors } from '../../src/checkpoints/named-tensors.ts';
import { publishModel } from '../../src/checkpoints/publish.ts';
import { hostSource, joinSources, readAll, type TensorSource } from '../../src/checkpoints/source.ts';
import { openTokenizer, writeTokenizer } from '../../src/checkpoints/tokenizer.ts';
import { noCache } from '../../src/compiler/cache/cache.ts';
import { DataFailure, fileError } from '../../src/data/error.ts';
import {
  centreCrop,
  f16FromFloats,
  floatsFromF16,
  readAllValues,
  readImage,
  toChannels,
} from '../../src/data/index.ts';
import { namedSpecs } from '../../src/dsl/param.ts';
import { withSystem } from '../../src/models/systems/index.ts';
import { readVariant, type Variant } from '../../src/models/variants/index.ts';
import type { Backend } from '../../src/runtime/backend.ts';
import { openRuntime, type Runtime } from '../../src/runtime/runtime.ts';
import { startingWeights } from '../../src/train/run/starting-weights.ts';
import { tokenizerTask } from '../../src/train/tasks/tokenizer.ts';
import { openTrainer } from '../../src/train/trainer/trainer.ts';
import { forEachDevice } from '../support/backends.ts';
import { tinyModel, tinyVariant } from '../support/command.ts';
import { failure, inFolder, run } from '../support/files.ts';
import { projectDir } from '../support/shared.ts';

const test = suite('published checkpoints');

const withRuntime = async (backend: Backend['name'], body: (runtime: Runtime) => Promise<void>): Promise<void> => {
  const runtime = await openRuntime({ backend, cache: noCache });
  try {
    await body(runtime);
  } finally {
    runtime.close();
  }
};
let shared: Promise<Runtime> | null = null;
/** A runtime on WebAssembly whose kernels serve several tests. */
const onWasm = (body: (runtime: Runtime, folder: string) => Promise<void>) => (): Promise<void> =>
  inFolder(async (folder) => {
    shared ??= openRuntime({ backend: 'wasm', cache: noCache });
    await body(await shared, folder);
  });
test.after(async () => (await shared)?.close());

/** All that a variant keeps, as it starts. */
const drawn = (runtime: Runtime, variant: Variant, seed: number): TensorSource =>
  withSystem(variant, ({ spec, stateSpec }) =>
    joinSources(...[spec, stateSpec].map((s) => drawnSource(runtime, s, seed))),
  );

test(
  'a folder has shards, their index and a configuration; tables end with a row of padding',
  onWasm(async (runtime, folder) => {
    const out = join(folder, 'a', 'model');
    const variant = tinyVariant();
    const told: number[] = [];
    const source = drawn(runtime, variant, 5);
    await run(
      publishModel(out, variant, source, { shardBytes: 40_000, onWritten: (done, of) => told.push(done / of) }),
    );
    const names = await readdir(out);
    assert.ok(names.filter((name) => /^model-\d{5}-of-\d{5}\.safetensors$/.test(name)).length > 1, names.join(' '));
    assert.ok(names.includes('model.safetensors.index.json'));
    assert.equal(await readdir(join(folder, 'a')), ['model']);
    const config = JSON.parse(await readFile(join(out, 'config.json'), 'utf8'));
    assert.equal([config.model_type, config.family], ['dualtoken', 'dualtoken']);
    assert.equal(config.config, JSON.parse(JSON.stringify(variant.config)));
    assert.is(told.at(-1), 1);
    assert.equal(
      told,
      [...told].sort((a, b) => a - b),
    );
    const stored = await run(readAllValues(out));
    const table = stored.get('quantizer.codebooks.0.weight')!;
    assert.equal([table.dtype, table.shape], ['F16', [9, 32]]);
    assert.equal([...table.data.slice(-32)], new Array(32).fill(0));
    assert.equal(table.data.slice(0, -32), stored.get('quantizer.codebooks.0.embed_ema')!.data);
    assert.equal(stored.get('quantizer_semantic.codebooks.0.cluster_size_ema')!.shape, [8]);
    const [name, first] = [...(await source.read(['prequant_visual.conv1.weight']))][0]!;
    assert.equal(stored.get(name)!.data, f16FromFloats(first.data));
  }),
);

test(
  'a training that starts from it starts as one of its seed',
  onWasm(async (runtime, folder) => {
    const out = join(folder, 'model');
    const variant = tinyVariant();
    await run(publishModel(out, variant, drawn(runtime, variant, 5), { floats: 'F32' }));
    await withSystem(variant, async (system) => {
      const losses = variant.losses.filter(({ kind }) => kind !== 'adversarial');
      const task = tokenizerTask(system, losses, {});
      const started = await run(startingWeights(out, variant, task, system.stateSpec));
      assert.equal([started.found, started.missing], [started.of, []]);
      const optimizer = { betas: [0.9, 0.99], eps: 1e-8, weightDecay: 0, clip: null } as const;
      const [drew, read] = [
        await openTrainer(runtime, task, { optimizer, seed: 5 }),
        await openTrainer(runtime, task, { optimizer, seed: 6, init: started.tensors }),
      ];
      const [a, b] = [await readAll(drew.snapshot()), await readAll(read.snapshot())];
      assert.equal([...a.keys()], [...b.keys()]);
      for (const [name, { data }] of a) assert.equal(data, b.get(name)!.data, name);
    });
  }),
);

/** Values that nobody drew. */
const waves = (variant: Variant): NamedTensors =>
  new Map(
    withSystem(variant, ({ spec, stateSpec }) => [spec, stateSpec])
      .flatMap(namedSpecs)
      .map(({ path, spec: { shape } }, n) => {
        const wave = (_: unknown, i: number) => 0.2 * Math.sin(i * 12.9898 + n);
        return [path, { shape, data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, wave) }] as const;
      }),
  );

forEachDevice(test, 'weights stored as f16 give what their f32 values give', ({ name: backend }) =>
  withRuntime(backend, (runtime) =>
    inFolder(async (folder) => {
      const read = readVariant({ variant: 'mini', quantiser: { codes: 64 } });
      if (E.isLeft(read)) throw new Error(read.left.join());
      const variant = read.right;
      const values = waves(variant);
      const rounded = hostSource(
        new Map(
          [...values].map(([name, { shape, data }]) => [name, { shape, data: floatsFromF16(f16FromFloats(data)) }]),
        ),
      );
      const paths = ['half', 'single', 'one.safetensors'].map((name) => join(folder, name));
      const [half, single, one] = [paths[0]!, paths[1]!, paths[2]!];
      await run(publishModel(half, variant, hostSource(values), { floats: 'F16' }));
      await run(publishModel(single, variant, rounded, { floats: 'F32' }));
      await run(writeTokenizer(one, variant, hostSource(values)));
      const photo = await run(readImage(join(projectDir, 'assets/photos/coffee.png')));
      const image = toChannels(centreCrop(64)(photo, 0));
      const made = [];
      for (const path of paths) {
        const before = runtime.stats().liveBytes;
        const tokenizer = await run(openTokenizer(runtime, path));
        const bytes = runtime.stats().liveBytes - before;
        const { pixel, semantic } = await tokenizer.encode(image);
        made.push({ bytes, pixel, semantic, picture: await tokenizer.decode(pixel!) });
      }
      const [fromHalf, fromSingle, fromOne] = [made[0]!, made[1]!, made[2]!];
      assert.ok(fromHalf.bytes < 0.6 * fromSingle.bytes, `${fromHalf.bytes} and ${fromSingle.bytes} bytes`);
      for (const other of [fromSingle, fromOne]) {
        assert.equal(other.pixel, fromHalf.pixel);
        assert.equal(other.semantic, fromHalf.semantic);
        other.picture.forEach((x, i) => {
          assert.ok(Math.abs(x - fromHalf.picture[i]!) < 1e-5, `${x} and ${fromHalf.picture[i]}`);
        });
      }
    }),
  ),
);

test(
  'what cannot be written or read leaves nothing and says why',
  onWasm(async (runtime, folder) => {
    const out = join(folder, 'model');
    const variant = tinyVariant();
    const source = drawn(runtime, variant, 0);
    const full = Object.assign(new Error('write'), { code: 'ENOSPC' });
    let reads = 0;
    const failing: TensorSource = {
      shapes: source.shapes,
      read: (names) => {
        if (reads++ === 0) return source.read(names);
        throw new DataFailure(fileError('write', out)(full));
      },
    };
    const large = new Map([['filler', [2 ** 25]]]);
    const two: TensorSource = { ...failing, shapes: new Map([...source.shapes, ...large]) };
    assert.match(await failure(publishModel(out, variant, two)), `cannot write ${out}: no space left on the device`);
    assert.equal(await readdir(folder), []);

    await mkdir(out);
    await run(publishModel(out, variant, source));
    const again = await failure(publishModel(out, variant, source));
    assert.is(again, `cannot write ${out}: it is there already: name another folder, or remove it`);

    const config = JSON.parse(await readFile(join(out, 'config.json'), 'utf8'));
    const write = (json: unknown) => writeFile(join(out, 'config.json'), JSON.stringify(json));
    await write({ model_type: 'siglip' });
    assert.match(await failure(openTokenizer(runtime, out)), "'dualtoken import' takes published ones");
    const { quantiser } = tinyModel;
    await write({ ...config, config: { ...config.config, quantiser: { ...config.config.quantiser, codes: 9 } } });
    assert.is(quantiser.codes, 8);
    assert.match(
      await failure(openTokenizer(runtime, out)),
      /misshapen {2}quantizer\.codebooks\.0\.weight is \[9,32\], the model wants \[10,32\]/,
    );
  }),
);

test.run();
