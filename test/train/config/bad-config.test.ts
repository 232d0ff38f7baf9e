// Configurations that make no run: each is a sentence for each fault, before anything is written.
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { hostSource } from '../../../src/checkpoints/source.ts';
import { noCache } from '../../../src/compiler/cache/cache.ts';
import type { Loss } from '../../../src/models/losses/index.ts';
import { withSystem } from '../../../src/models/systems/index.ts';
import { type Variant, variants } from '../../../src/models/variants/index.ts';
import { hardwareCaps } from '../../../src/runtime/null.ts';
import { openRuntime, type Runtime } from '../../../src/runtime/runtime.ts';
import { parseTrainConfig } from '../../../src/train/config/config.ts';
import { lossFaults } from '../../../src/train/config/loss-faults.ts';
import { discriminatorRates } from '../../../src/train/config/rates.ts';
import { TrainFailure } from '../../../src/train/failure.ts';
import type { Checkpoint } from '../../../src/train/run/checkpoint.ts';
import { checkRoom } from '../../../src/train/run/room.ts';
import { checkpointFor, runTraining } from '../../../src/train/run/run.ts';
import { tinyModel } from '../../support/command.ts';
import { inFolder } from '../../support/files.ts';
import { projectDir } from '../../support/shared.ts';

const test = suite('bad configurations');
const photos = join(projectDir, 'assets/photos');
const pixel: Loss = { kind: 'pixel', weight: 1 };

/** What is wrong with a configuration, as it is read. */
const faultsIn = (json: unknown): readonly string[] => {
  const read = parseTrainConfig(json);
  return E.isLeft(read) ? read.left : [];
};

test('every variant has what its own losses ask for', () => {
  for (const [name, variant] of Object.entries(variants)) assert.equal(lossFaults(variant), [], name);
});

test('keys, kinds and values: each fault with its path, unknown keys with the nearest', () => {
  const cases: readonly (readonly [unknown, ...(readonly RegExp[])])[] = [
    [{ optimiser: {} }, /^optimiser: there is no such key; the nearest is 'optimizer'$/],
    [{ data: { tran: photos } }, /^data\.tran: there is no such key; the nearest is 'train'$/],
    [{ model: { taps: { pixl: 1 } } }, /^model\.taps\.pixl: there is no such key; the nearest is 'pixel'$/],
    [
      { losses: [{ kind: 'pixel', weight: 1, distnace: 'l1' }] },
      /^losses\.0\.distnace: .*; the nearest is 'distance'$/,
    ],
    [{ losses: [pixel, { kind: 'pixl', weight: 1 }] }, /^losses\.1\.kind: .*'pixel' \| 'perceptual'/],
    [{ losses: { commitment: 2 } }, /^losses: .*expected array/],
    [{ data: { train: { kind: 'webdatset', path: 'x' } } }, /^data\.train\.kind: .*'folder' \| 'webdataset'/],
    [{ data: { train: { kind: 'folder', path: 3 } } }, /^data\.train\.path: .*expected string/],
    [{ data: { train: 3 } }, /^data\.train: expected string or object/],
    [{ data: { crop: [1, 0.5] } }, /^data\.crop: the least share is above the largest$/],
    [{ ema: 1 }, /^ema: .*<1$/],
    [{ steps: 0 }, /^steps: /],
    [{ variant: 'maxi', batchSize: 0 }, /^batchSize: /, /^variant: 'maxi' is unknown; there are .*mini/],
    [null, /^the configuration: .*expected object/],
  ];
  for (const [json, ...wanted] of cases) {
    const faults = faultsIn(json);
    assert.is(faults.length, wanted.length, `${JSON.stringify(json)}: ${faults.join('\n')}`);
    for (const [i, pattern] of wanted.entries()) assert.match(faults[i]!, pattern);
  }
});

test('what is stated of the discriminator leaves its other defaults: Adam without decay, the rate of the model, to 4e-5', () => {
  const read = (json: unknown, begun?: boolean) => {
    const parsed = parseTrainConfig(json, begun);
    if (E.isLeft(parsed)) throw new Error(parsed.left.join('\n'));
    const { discriminator, optimizer } = parsed.right;
    const { kind, weightDecay, betas } = discriminator.optimizer;
    const { warmup } = discriminator.schedule;
    return { kind, weightDecay, betas, warmup, ...discriminatorRates({ discriminator, optimizer }) };
  };
  const usual = { kind: 'adam', weightDecay: 0, betas: [0.5, 0.9], warmup: 100, peak: 7.2e-5, final: 4e-5 };
  assert.equal(read({}), usual);
  assert.equal(read({ discriminator: { optimizer: { learningRate: 1e-4 } } }), { ...usual, peak: 1e-4 });
  assert.equal(read({ discriminator: { schedule: { warmup: 5 } } }), { ...usual, warmup: 5 });
  assert.equal(read({ discriminator: { optimizer: { kind: 'adamw' } } }), { ...usual, kind: 'adamw' });
  assert.equal(read({ optimizer: { learningRate: 3e-4, kind: 'adamw' } }), { ...usual, peak: 3e-4 });
  assert.equal(read({ optimizer: { learningRate: 1e-5 } }), { ...usual, peak: 1e-5, final: 1e-5 });

  // As runs were stored that had one learning rate or the other from elsewhere.
  const optimizer = { kind: 'adam', learningRate: 1e-5, betas: [0.5, 0.9], eps: 1e-8, weightDecay: 0, clip: null };
  const stored = { discriminator: { optimizer, schedule: { kind: 'cosine', warmup: 100, final: 4e-5 } } };
  assert.equal(read(stored, true), { ...usual, peak: 1e-5 });
  const climbs =
    /^discriminator\.schedule\.final 0\.00004 is above the learning rate that it falls from, 0\.00001: lower/;
  assert.match(faultsIn(stored).join('\n'), climbs);
  const own = { optimizer: { learningRate: 1e-5 }, schedule: { final: 1e-4 } };
  assert.match(faultsIn(own).join('\n'), /^schedule\.final 0\.0001 is above [^\n]*$/);
  assert.equal(faultsIn({ ...own, schedule: { kind: 'constant', final: 1e-4 } }), []);
});

test('taps that the tower does not have, or in the wrong order', () => {
  assert.equal(faultsIn({ model: { taps: { semantic: 7 } } }), ['model.taps.semantic 7: the tower has 6 blocks']);
  assert.equal(faultsIn({ model: { taps: { pixel: 6, semantic: 4 } } }), [
    'model.taps.pixel 6 comes after taps.semantic 4',
  ]);
});

test('losses that the model cannot have are named with what they lack', () => {
  const lack = (kind: string, what: string) =>
    `losses: '${kind}' asks for ${what}, which the model has not; leave it out`;
  assert.equal(faultsIn({ model: { taps: { semantic: null } } }), [
    lack('deep', 'a semantic tap'),
    lack('pooled', 'a semantic tap'),
  ]);
  assert.equal(faultsIn({ model: { taps: { semantic: null } }, losses: [pixel] }), []);
  assert.equal(faultsIn({ model: { taps: { pixel: null } } }), [
    lack('pixel', 'a pixel decoder'),
    lack('adversarial', 'a pixel decoder'),
  ]);
  const others: readonly Loss[] = [
    { kind: 'entropy', weight: 1 },
    { kind: 'contrastive', weight: 1 },
    { kind: 'teacher', weight: 1, net: 'mobilenet_v2' },
  ];
  assert.equal(faultsIn({ losses: others }), [
    lack('entropy', 'a lookup-free quantiser'),
    lack('contrastive', 'a text tower: `text`'),
    lack('teacher', "a map to a teacher's features: a tower's `teacher`"),
  ]);
  assert.equal(faultsIn({ variant: 'mini-vqgan', losses: [pixel, ...others.slice(1, 2)] }), [
    lack('contrastive', 'a pooled feature: a semantic tap'),
  ]);
  assert.equal(faultsIn({ variant: 'mini-tower', losses: [{ kind: 'commitment', weight: 1 }] }), [
    lack('commitment', 'codes'),
  ]);
  assert.equal(faultsIn({ losses: [] }), ['losses: there are none, so there is nothing to learn']);
  assert.equal(faultsIn({ losses: [pixel, pixel] }), ["losses: 'pixel' is there twice"]);
});

test('a picture alone has no negatives', () => {
  const faults = (variant: string, batchSize: number) => faultsIn({ variant, batchSize });
  for (const variant of ['mini-siglip', 'mini-clip']) {
    assert.equal(faults(variant, 2), []);
    assert.is(faults(variant, 1).length, 1);
    assert.match(faults(variant, 1)[0]!, /^losses: 'contrastive' .* with batchSize 1 .*: set batchSize to 2 at least/);
  }
  assert.equal(faults('mini', 1), []);
});

test('pictures that are too small for a perceptual network are refused, with the least side', () => {
  const least = {
    'lpips-vgg': 16,
    'lpips-squeeze': 17,
    squeezenet1_0: 21,
    'squeezenet1_0-caffe': 21,
    'lpips-alex': 31,
  } as const;
  const faults = (net: keyof typeof least, side: number) =>
    faultsIn({
      model: {
        ...tinyModel,
        vision: { ...tinyModel.vision, image_size: side, patch_size: side / 2 },
        decoder: { ...tinyModel.decoder, resolution: side, ch_mult: [1], attn_resolutions: [] },
      },
      losses: [pixel, { kind: 'perceptual', weight: 1, net }],
    }).filter((fault) => fault.includes('perceptual'));
  for (const [net, side] of Object.entries(least) as [keyof typeof least, number][]) {
    assert.equal(faults(net, 2 * Math.ceil(side / 2)), [], net);
    const small = 2 * Math.ceil(side / 2) - 2;
    assert.equal(faults(net, small), [
      `losses: 'perceptual': '${net}' takes pictures of ${side} x ${side} at least; these are of ${small} x ${small}: use another network, or leave the loss out`,
    ]);
  }
});

test('discriminators that cannot be made', () => {
  const made = (more: object) => faultsIn({ losses: [pixel, { kind: 'adversarial', weight: 1, ...more }] });
  assert.match(
    made({ channels: 48 }).join('\n'),
    /^losses: 'adversarial': channels 48 is not a multiple of the 32 groups/,
  );
  for (const channels of [5, 32, 96]) assert.equal(made({ channels }), []);
  assert.equal(made({ discriminator: 'patch', channels: 48 }), []);
  assert.match(
    made({ discriminator: 'patch', layers: 5 }).join('\n'),
    /'patch' of 5 layers has no logits for pictures of 64/,
  );
  assert.match(
    faultsIn({
      losses: [
        { kind: 'commitment', weight: 1 },
        { kind: 'adversarial', weight: 1, adaptive: [0, 10] },
      ],
    }).join('\n'),
    /adaptive: there is neither 'pixel' nor 'perceptual'/,
  );
  assert.match(made({ adaptive: [2, 1] }).join('\n'), /adaptive \[2, 1\]: the lower bound is above the upper$/);
});

let opened: Promise<Runtime> | null = null;
/** The null backend: what is refused is refused before anything runs. */
const runtime = (): Promise<Runtime> => {
  opened ??= openRuntime({ backend: 'null', cache: noCache });
  return opened;
};
test.after(async () => (await opened)?.close());

/** The message of a run that must not begin; its folder must not be there. */
const refused = (input: object, from: Checkpoint['tensors'] | null = null): Promise<string> =>
  inFolder(async (folder) => {
    const config = parseTrainConfig({ model: tinyModel, ...input, out: join(folder, 'run') });
    if (E.isLeft(config)) throw new Error(config.left.join('\n'));
    const hooks = { log: () => {}, onStep: () => {}, stopped: () => false };
    const info = { version: 1, step: 1, sample: 8, seconds: 1, seed: 0, config: config.right } as const;
    const checkpoint = from && { path: 'checkpoint-00000001', info, tensors: from };
    const thrown = await runTraining(await runtime(), config.right, checkpoint, hooks).then(
      () => null,
      (e: unknown) => e,
    );
    assert.equal(await readdir(folder), [], 'something was written');
    assert.instance(thrown, TrainFailure);
    return (thrown as TrainFailure).message;
  });

test('what a run lacks is said before it begins', async () => {
  const data = { train: photos };
  assert.match(await refused({}), /^there are no pictures to train on: .*data\.train/);
  assert.match(await refused({ data: { train: join(photos, 'none') } }), /none: no such file or folder/);
  assert.match(
    await refused({
      data,
      model: {},
      losses: [pixel, { kind: 'perceptual', weight: 1, net: 'squeezenet1_0' }],
      weights: { perceptual: ['net.safetensors', 'heads.safetensors'] },
    }),
    /^weights\.perceptual names 2 files; 'squeezenet1_0' takes one, its weights$/,
  );
  assert.match(
    await refused({ data, losses: [pixel, { kind: 'perceptual', weight: 1, net: 'lpips-vgg' }] }),
    /^the loss 'perceptual' \(lpips-vgg\) asks for its network's weights: name their files in weights\.perceptual/,
  );
  assert.match(
    await refused({ data, freeze: ['decoder.**', 'siglip.**'] }),
    /^freeze: no parameter matches 'siglip\.\*\*'; paths begin with siglip_model\.vision_model, prequant_visual/,
  );
  assert.match(
    await refused({ data, batchSize: 10 ** 7 }),
    /^batchSize 10000000: its pictures take \d+ MiB; .*smaller batch$/,
  );
  assert.match(await refused({ data, weights: { model: join(photos, 'coffee.png') } }), /coffee\.png/);
});

test('captions that no loss asks for are not read', () =>
  inFolder(async (folder) => {
    await copyFile(join(photos, 'coffee.png'), join(folder, 'a.png'));
    await writeFile(join(folder, 'captions.txt'), 'of something else\n');
    const data = { train: folder, validation: folder };
    assert.match(await refused({ data, freeze: ['siglip.**'] }), /^freeze: no parameter matches/);
  }));

test('held out pictures of which none can be read are no pictures', () =>
  inFolder(async (folder) => {
    for (const name of ['a.png', 'b.png']) await writeFile(join(folder, name), 'no picture');
    assert.match(
      await refused({ data: { train: photos, validation: folder } }),
      /: none of its 2 pictures can be read; the first: image .*a\.png: cannot be decoded/,
    );
  }));

test('a model whose training is larger than all of WebAssembly’s memory', () => {
  const caps = { target: 'wasm', limits: { ...hardwareCaps.limits, buffer: 2 ** 32 } } as const;
  const batch = { size: 1, shape: [3, 384, 384] };
  const room = (variant: Variant) =>
    withSystem(variant, ({ spec }) => ({ trained: spec, frozen: {}, ema: false, batch }));
  checkRoom(room(variants.mini!), caps);
  assert.throws(
    () => checkRoom(room(variants['dualtoken-so400m']!), caps),
    /^the model: parameters, gradients, two moments and what is frozen take 9\.5 GiB; WebAssembly has 4\.0 GiB here/,
  );
  checkRoom(room(variants['dualtoken-so400m']!), { ...caps, target: 'wgsl' });
});

test('a checkpoint of another model leaves the run as it is', async () => {
  const name = 'siglip_model.vision_model.embeddings.patch_embedding.weight';
  const other = new Map([[name, { shape: [1], data: new Float32Array(1) }]]);
  const input = { data: { train: photos } };
  assert.is(
    await refused(input, hostSource(new Map())),
    `checkpoint-00000001 is of another model: there is no tensor '${name}'`,
  );
  assert.is(
    await refused(input, hostSource(other)),
    `checkpoint-00000001 is of another model: the tensor '${name}' is [1], the model wants [32,3,8,8]`,
  );
});

test('captions: a tokenizer and a data set that has them', async () => {
  const text = {
    hidden_size: 32,
    intermediate_size: 32,
    num_hidden_layers: 1,
    num_attention_heads: 1,
    hidden_act: 'gelu',
    layer_norm_eps: 1e-6,
    vocab_size: 10,
    max_position_embeddings: 4,
  } as const;
  const losses: readonly Loss[] = [{ kind: 'contrastive', weight: 1 }];
  const input = { model: { ...tinyModel, text }, losses: [...losses] };
  assert.match(
    await refused({ ...input, data: { train: photos } }),
    /asks for captions as ids: name a tokenizer in data\.tokenizer$/,
  );
  await inFolder(async (folder) => {
    assert.match(
      await refused({ ...input, data: { train: photos, tokenizer: join(folder, 'none.json') } }),
      /^the loss 'contrastive' asks for captions, and .*photos has none$/,
    );
  });
});

test('the teacher: its folder, and a map to as many features', async () => {
  const tower = { vision: { hidden_size: 32, intermediate_size: 32, num_hidden_layers: 1, num_attention_heads: 1 } };
  const input = { variant: 'mini-tower', model: tower, data: { train: photos } };
  assert.match(await refused(input), /^the loss 'teacher' asks for its network: name its folder in weights\.teacher$/);
  await inFolder(async (folder) => {
    await writeFile(join(folder, 'a.safetensors'), '');
    await writeFile(join(folder, 'b.safetensors'), '');
    assert.match(
      await refused({ ...input, weights: { teacher: folder } }),
      /2 \.safetensors files lie there: name one$/,
    );
  });
});

test('a folder with a run is not trained over, and one without is not resumed', () =>
  inFolder(async (folder) => {
    const message = (resume: boolean) =>
      checkpointFor(folder, resume).then(
        () => 'it began',
        (e: Error) => e.message,
      );
    assert.match(await message(true), /holds no checkpoint to resume from$/);
    await mkdir(join(folder, 'checkpoint-00000003'));
    assert.match(await message(false), /holds a run already: --resume goes on with it; --out starts another one$/);
    assert.match(await message(true), /checkpoint-00000003.*: no such file/);
  }));

test.run();
