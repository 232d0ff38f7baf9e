// Weights that a run starts from: a tower's file gives the trained and the frozen tower its values, tables bring their running means,
// the rest is drawn; what does not fit is named.
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { NamedTensors } from '../../../src/checkpoints/named-tensors.ts';
import { hostSource, readAll } from '../../../src/checkpoints/source.ts';
import type { ProgramCache } from '../../../src/compiler/cache/cache.ts';
import type { Program } from '../../../src/compiler/program.ts';
import { writeSafetensors } from '../../../src/data/index.ts';
import { sizeOf } from '../../../src/dsl/core/node.ts';
import { namedSpecs } from '../../../src/dsl/param.ts';
import { dualTokenSystem, withSystem } from '../../../src/models/systems/index.ts';
import { mini, variantOf, variants } from '../../../src/models/variants/index.ts';
import { openRuntime } from '../../../src/runtime/runtime.ts';
import { gridsOf, resizePositions } from '../../../src/train/run/positions.ts';
import { prepareTask } from '../../../src/train/run/prepare.ts';
import { startingWeights } from '../../../src/train/run/starting-weights.ts';
import { stillTower } from '../../../src/train/run/warnings.ts';
import { tokenizerTask } from '../../../src/train/tasks/tokenizer.ts';
import { layoutsOf } from '../../../src/train/trainer/freeze.ts';
import { openTrainer } from '../../../src/train/trainer/trainer.ts';
import { tinyModel } from '../../support/command.ts';
import { values } from '../../support/draw.ts';
import { failure, inFolder, run } from '../../support/files.ts';

const test = suite('starting weights');

/** Both trainers of a test draw by the same programs. */
const inMemory = (): ProgramCache => {
  const kept = new Map<string, Program>();
  return {
    get: async (digest) => kept.get(digest) ?? null,
    put: async (program) => void kept.set(program.digest, program),
  };
};

const config = variantOf(mini, tinyModel);
const model = { family: 'dualtoken', config } as const;
const system = dualTokenSystem(config);
const task = tokenizerTask(system, [
  { kind: 'pixel', weight: 1 },
  { kind: 'deep', weight: 1 },
]);
const tower = 'siglip_model.vision_model.';

type Tensors = ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float32Array<ArrayBuffer> }>;
const drawn = (spec: unknown): Tensors =>
  new Map(
    namedSpecs(spec).map(({ path, spec: { shape } }, i) => [
      path,
      { shape, data: Float32Array.from(values(sizeOf(shape), 70 + i)) },
    ]),
  );
const all = drawn({ ...system.spec, ...system.stateSpec });
const towerAlone: Tensors = new Map(
  [...all].flatMap(([name, t]) => (name.startsWith(tower) ? [[name.replace('siglip_model.', ''), t] as const] : [])),
);
const write = (path: string, tensors: Tensors): Promise<void> =>
  run(writeSafetensors(path, new Map([...tensors].map(([name, t]) => [name, { dtype: 'F32', ...t }]))));
const from = (path: string) => startingWeights(path, model, task, system.stateSpec);
const same = (tensors: NamedTensors, name: string, wanted: string): void =>
  assert.equal(tensors.get(name)?.data, all.get(wanted)?.data, name);

test("a tower's file is the start of the trained and of the frozen tower; the rest is missing", () =>
  inFolder(async (folder) => {
    const path = join(folder, 'tower.safetensors');
    await write(path, towerAlone);
    const { tensors, found, of, missing } = await run(from(path));
    assert.is(found, towerAlone.size);
    assert.is(of, namedSpecs(system.spec).length);
    assert.ok(missing.includes('decoder.conv_in') && missing.includes('post_quant_conv.conv1'), `${missing}`);
    assert.not(missing.some((part) => part.startsWith('siglip_model')));
    const read = await readAll(tensors);
    assert.is(read.size, 2 * towerAlone.size);
    for (const name of all.keys())
      if (name.startsWith(tower)) {
        same(read, name, name);
        same(read, `frozen.${name}`, name);
      }
  }));

test('a trainer begins with them, its mean of the weights too; tables without running means get one hit a code', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'tables.safetensors');
    const tables = [...all].filter(([name]) => name.endsWith('.codebook'));
    assert.is(tables.length, 2);
    await write(path, new Map([...towerAlone, ...tables]));
    const { tensors: init } = await run(from(path));
    const runtime = await openRuntime({ backend: 'wasm', cache: inMemory() });
    try {
      const optimizer = { betas: [0.9, 0.99], eps: 1e-8, weightDecay: 0, clip: null } as const;
      const open = (more: object) => openTrainer(runtime, task, { optimizer, seed: 3, ema: 0.9, ...more });
      const freeze = ['siglip_model.**.embeddings.**'];
      const given = await readAll((await open({ init, freeze })).snapshot());
      const fresh = await readAll((await open({ freeze })).snapshot());
      assert.equal([...given.keys()], [...fresh.keys()]);
      for (const [name, { data }] of given) {
        const own = name.replace(/^(ema|frozen|state)\./, '');
        const book = own.replace(/(embedEma|clusterSize)$/, 'codebook');
        if (name.startsWith('optimizer.')) assert.ok(data.every((x) => x === 0));
        else if (own.endsWith('.clusterSize')) assert.ok(data.every((x) => x === 1));
        else if (own.startsWith(tower) || tables.some(([table]) => table === book)) same(given, name, book);
        else assert.equal(data, fresh.get(name)!.data, name);
      }
      // Without a file both towers are drawn alike.
      for (const name of all.keys())
        if (name.startsWith(tower)) assert.equal(fresh.get(`frozen.${name}`)!.data, fresh.get(name)!.data, name);
    } finally {
      runtime.close();
    }
  }));

test('of several files the last that has a parameter gives it; what none has is named once', () =>
  inFolder(async (folder) => {
    const [whole, lesson] = ['whole', 'lesson'].map((name) => join(folder, `${name}.safetensors`));
    const isDecoder = (name: string): boolean => name.startsWith('decoder.');
    await write(whole!, new Map([...all].filter(([name]) => !isDecoder(name))));
    const taught = new Map(
      [...towerAlone].map(([name, { shape, data }]) => [name, { shape, data: data.map((x) => x + 1) }] as const),
    );
    await write(lesson!, taught);
    const lines: string[] = [];
    const losses = [
      { kind: 'pixel', weight: 1 },
      { kind: 'deep', weight: 1 },
    ] as const;
    const weights = { model: [whole!, lesson!] };
    const { init } = await prepareTask(
      system,
      { ...model, title: '', losses },
      { weights, microBatches: 1, checkpointing: false },
      (line) => lines.push(line),
    );
    const read = await readAll(init);
    for (const name of namedSpecs(system.spec).map(({ path }) => path))
      if (name.startsWith(tower)) {
        const { data } = taught.get(name.replace('siglip_model.', ''))!;
        assert.equal(read.get(name)?.data, data, name);
        assert.equal(read.get(`frozen.${name}`)?.data, data, name);
      } else if (isDecoder(name)) assert.not(read.has(name));
      else same(read, name, name);
    assert.is(lines.length, 3);
    assert.match(lines[1]!, new RegExp(`lesson\\.safetensors: ${taught.size} of \\d+ parameters$`));
    assert.match(lines[2]!, /^anew: decoder\.conv_in, [^ ]+(, decoder\.[^ ]+)*$/);
  }));

test('towers that are held to and that no file gives are warned of', () =>
  inFolder(async (folder) => {
    const text = {
      hidden_size: model.config.vision.hidden_size,
      intermediate_size: 32,
      num_hidden_layers: 1,
      num_attention_heads: 1,
      hidden_act: 'gelu_pytorch_tanh',
      layer_norm_eps: 1e-6,
      vocab_size: 10,
      max_position_embeddings: 4,
    } as const;
    const reads = dualTokenSystem({ ...model.config, text });
    const file = join(folder, 'tower.safetensors');
    await write(file, towerAlone);
    const said = async (kinds: readonly ('pixel' | 'deep' | 'pooled' | 'contrastive')[], from?: string) => {
      const lines: string[] = [];
      const losses = kinds.map((kind) => ({ kind, weight: 1 }));
      const config = { weights: from === undefined ? {} : { model: from }, microBatches: 1, checkpointing: false };
      const variant = { ...model, config: { ...model.config, text }, title: '', losses };
      await prepareTask(reads, variant, config, (line) => lines.push(line));
      return lines.filter((line) => line.startsWith('warning: '));
    };
    assert.equal(await said(['pixel']), []);
    assert.equal(await said(['deep', 'pooled'], file), []);
    const [towers, ...more] = await said(['deep', 'pooled']);
    assert.equal(more, []);
    assert.match(
      towers!,
      /^warning: the frozen tower is drawn at random: 'deep' and 'pooled' hold .*weights\.model, or /,
    );
    assert.match((await said(['pooled']))[0]!, /: 'pooled' holds features .*, or leave the loss out$/);
    const [words, ...others] = await said(['deep', 'contrastive'], file);
    assert.equal(others, []);
    assert.match(words!, /^warning: the frozen text tower is drawn at random: 'contrastive' .*weights\.model, or /);
  }));

test("a model's own tower that is frozen and that no file gives is warned of, whatever its losses", () => {
  const said = (name: string, given: readonly string[], ...freeze: readonly string[]) =>
    withSystem(variants[name]!, ({ spec }) => {
      const layouts = layoutsOf<unknown>(spec, [...(variants[name]!.freeze ?? []), ...freeze]);
      return stillTower(
        layouts,
        hostSource(new Map(given.map((path) => [path, { shape: [1], data: Float32Array.of(0) }]))),
      );
    });
  const one = `${tower}embeddings.patch_embedding.weight`;
  for (const name of ['mini-naive-semantic', 'mini-initial-quantised', 'naive-semantic']) {
    assert.is(said(name, []).length, 1, name);
    assert.match(said(name, [])[0]!, /^the model's own tower is drawn at random and frozen: .*weights\.model/);
    assert.equal(said(name, [one]), [], name);
    assert.is(said(name, [`frozen.${one}`]).length, 1, name);
  }
  for (const name of ['mini', 'mini-siglip', 'mini-vqgan']) assert.equal(said(name, []), [], name);
  assert.is(said('mini', [], 'siglip_model.**').length, 1);
  assert.equal(said('mini', [], 'siglip_model.**.embeddings.**'), []);
  assert.is(said('mini-clip', [], 'vision_model.**').length, 1);
});

test('positions of another grid are resized, bicubic, and said', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'tower.safetensors');
    await write(path, towerAlone);
    const { vision } = config;
    const larger = variantOf(config, {
      vision: { image_size: vision.image_size * 2 },
      decoder: { resolution: config.decoder.resolution * 2 },
    });
    const reads = dualTokenSystem(larger);
    const lines: string[] = [];
    const losses = [{ kind: 'deep', weight: 1 }] as const;
    const { init } = await prepareTask(
      reads,
      { family: 'dualtoken', config: larger, title: '', losses },
      { weights: { model: path }, microBatches: 1, checkpointing: false },
      (line) => lines.push(line),
    );
    const name = `${tower}embeddings.position_embedding.weight`;
    const side = vision.image_size / vision.patch_size;
    const read = await readAll(init);
    const { shape, data } = read.get(name)!;
    assert.equal(shape, [(2 * side) ** 2, vision.hidden_size]);
    assert.equal(read.get(`frozen.${name}`)?.data, data);
    assert.ok(
      lines.includes(`${path}: positions resized from ${side} x ${side} to ${2 * side} x ${2 * side}`),
      `${lines}`,
    );
    same(read, `${tower}embeddings.patch_embedding.weight`, `${tower}embeddings.patch_embedding.weight`);
  }));

test('of a grid that doubles each place is made of its neighbours, and a class token stays', () => {
  // A ramp along rows: Catmull-Rom keeps it away from the border.
  const [width, from, to] = [2, 8, 16];
  const stored = {
    shape: [1 + from * from, width],
    data: Float32Array.from({ length: (1 + from * from) * width }, (_, i) => {
      const [row, k] = [Math.floor(i / width) - 1, i % width];
      return row < 0 ? -5 : k === 0 ? row % from : 10 * Math.floor(row / from);
    }),
  };
  const grids = gridsOf('vision_model.embeddings.position_embedding.weight', stored.shape, [1 + to * to, width]);
  assert.equal(grids, { before: 1, from, to });
  const { shape, data } = resizePositions(grids!)(stored);
  assert.equal(shape, [1 + to * to, width]);
  assert.equal([...data.subarray(0, width)], [-5, -5]);
  for (let y = 4; y < to - 4; y++)
    for (let x = 4; x < to - 4; x++) {
      const at = (1 + y * to + x) * width;
      assert.ok(Math.abs(data[at]! - ((x + 0.5) / 2 - 0.5)) < 1e-5, `${x}, ${y}: ${data[at]}`);
      assert.ok(Math.abs(data[at + 1]! - 10 * ((y + 0.5) / 2 - 0.5)) < 1e-4, `${x}, ${y}: ${data[at + 1]}`);
    }
  const other = [
    ['vision_model.embeddings.position_embedding.weight', [65, width], [16, width]],
    ['vision_model.embeddings.position_embedding.weight', [64, width], [256, 3]],
    ['text_model.embeddings.position_embedding.weight', [64, width], [256, width]],
    ['vision_model.embeddings.position_embedding.weight', [63, width], [256, width]],
  ] as const;
  for (const [path, had, wanted] of other) assert.is(gridsOf(path, had, wanted), null);
});

test('other shapes, no fitting names, and what is no file of tensors', () =>
  inFolder(async (folder) => {
    const [wide, other, none] = ['wide', 'other', 'none'].map((name) => join(folder, `${name}.safetensors`));
    const name = 'vision_model.post_layernorm.bias';
    await write(wide!, new Map([...towerAlone, [name, { shape: [33], data: new Float32Array(33) }]]));
    await write(other!, new Map([['layer4.weight', { shape: [3], data: new Float32Array(3) }]]));
    assert.match(
      await failure(from(wide!)),
      /wide\.safetensors, tensor "vision_model\.post_layernorm\.bias": is \[33\], the model wants \[32\]: change the variant/,
    );
    assert.match(await failure(from(other!)), /other\.safetensors: none of its tensors has the name of a parameter/);
    assert.match(await failure(from(none!)), /none\.safetensors: no such file/);
  }));

test.run();
