// Adapters of checkpoint folders against the reference's numbers, and folders that do not fit.
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { noCache } from '../../src/compiler/cache/cache.ts';
import { type EvaluatedModel, openModel, openTextTower } from '../../src/eval/models/index.ts';
import { openRuntime, type Runtime } from '../../src/runtime/runtime.ts';
import { failure, inFolder, run } from '../support/files.ts';
import { near } from '../support/near.ts';
import { floats, readTensors } from '../support/params.ts';
import { sharedDir } from '../support/shared.ts';
import { skip } from '../support/skip.ts';
import { clipJson, siglipJson } from '../support/tokenizer-files.ts';

const test = suite('evaluated models');

const withRuntime = async (body: (runtime: Runtime) => Promise<void>): Promise<void> => {
  const runtime = await openRuntime({ backend: 'wasm', cache: noCache });
  try {
    await body(runtime);
  } finally {
    runtime.close();
  }
};

const unit = (row: Float32Array): Float32Array => {
  const length = Math.hypot(...row);
  return row.map((x) => x / length);
};

const measureOne = async (model: EvaluatedModel, name: string, images: Float32Array): Promise<Float32Array> => {
  const values = (await model.measure([name])(images))[name];
  if (!(values instanceof Float32Array)) throw new Error(`no features '${name}'`);
  return values;
};

/** The folder of a golden case with a tokenizer of its own. */
const goldenFolder = async (kind: 'siglip' | 'clip', folder: string, tokenizer: unknown) => {
  const shared = sharedDir();
  if (shared === null) return null;
  const from = join(shared, 'golden', kind);
  for (const name of ['config.json', 'model.safetensors']) await copyFile(join(from, name), join(folder, name));
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
  return readTensors(join(from, 'io.safetensors'));
};

/** Words for the golden ids, whose last one is taken for the end. */
const goldenIds = [50, 40, 87, 25, 30, 7, 95, 40, 73, 26, 6, 18, 6, 74, 57];
const siglipWords = {
  ...siglipJson,
  added_tokens: [],
  model: {
    type: 'Unigram',
    unk_id: 0,
    vocab: Array.from({ length: 97 }, (_, id) => [id === 15 ? '</s>' : id === 0 ? '<unk>' : `▁w${id}`, -1]),
  },
};
const letters = { a: 26, b: 34, c: 94, d: 76, e: 15, f: 87, g: 16, h: 58 };
const clipWords = {
  ...clipJson,
  added_tokens: clipJson.added_tokens.map((token, n) => ({ ...token, id: [71, 98][n] })),
  model: {
    ...clipJson.model,
    vocab: {
      ...Object.fromEntries(Object.entries(letters).map(([letter, id]) => [`${letter}</w>`, id])),
      '<|startoftext|>': 71,
      '<|endoftext|>': 98,
    },
    merges: [],
  },
};

test('SigLIP: pooled and mean features, and texts, are the reference’s', async () => {
  await inFolder(async (folder) => {
    const io = await goldenFolder('siglip', folder, siglipWords);
    if (io === null) return skip('the golden SigLIP needs ../shared/golden');
    await withRuntime(async (runtime) => {
      const model = await run(openModel(runtime, folder));
      assert.equal([model.size, model.embedding, model.textTower], [28, 'pooled', folder]);
      const images = floats(io.get('in.pixel_values')!);
      near(
        await measureOne(model, 'pooled', images),
        floats(io.get('out.vision.pooler_output')!),
        2e-4,
        'pooled',
        1e-3,
      );
      const last = floats(io.get('out.vision.last_hidden_state')!);
      const means = Array.from({ length: 3 * 48 }, (_, i) => {
        const [n, c] = [Math.floor(i / 48), i % 48];
        return [0, 1, 2, 3].reduce((sum, at) => sum + last[(n * 4 + at) * 48 + c]! / 4, 0);
      });
      near(await measureOne(model, 'mean', images), means, 2e-4, 'mean', 1e-3);
      const tower = await run(openTextTower(runtime, folder));
      assert.is(tower.width, 48);
      const { count, values } = await tower.embed(['w1', goldenIds.map((id) => `W${id},`).join(' ')]);
      assert.is(count, 2);
      near(unit(values.slice(48)), floats(io.get('out.text_embeds')!).slice(0, 48), 2e-4, 'texts', 1e-3);
    });
  });
});

test('CLIP: projected features and texts are the reference’s', async () => {
  await inFolder(async (folder) => {
    const io = await goldenFolder('clip', folder, clipWords);
    if (io === null) return skip('the golden CLIP needs ../shared/golden');
    await withRuntime(async (runtime) => {
      const model = await run(openModel(runtime, folder));
      const images = floats(io.get('in.pixel_values')!);
      const made = await measureOne(model, model.embedding!, images);
      const expected = floats(io.get('out.image_embeds')!);
      for (let n = 0; n < expected.length / 32; n++)
        near(unit(made.slice(n * 32, (n + 1) * 32)), expected.slice(n * 32, (n + 1) * 32), 2e-4, `picture ${n}`, 1e-3);
      const { values } = await (await run(openTextTower(runtime, folder))).embed(['a b c d e f g h']);
      near(unit(values), floats(io.get('out.text_embeds')!).slice(0, 32), 2e-4, 'text', 1e-3);
    });
  });
});

test('folders that do not fit are named', async () => {
  await inFolder(async (folder) => {
    const io = await goldenFolder('siglip', folder, {
      ...siglipWords,
      model: { ...siglipWords.model, vocab: [['▁a', -1]] },
    });
    if (io === null) return skip('the golden SigLIP needs ../shared/golden');
    await withRuntime(async (runtime) => {
      const config = join(folder, 'config.json');
      const text = await readFile(config, 'utf8');
      assert.match(await failure(openTextTower(runtime, folder)), /its vocabulary has no <\/s>/);
      const many = { ...siglipWords.model, vocab: [...siglipWords.model.vocab, ['▁w97', -1]] };
      await writeFile(join(folder, 'tokenizer.json'), JSON.stringify({ ...siglipWords, model: many }));
      assert.match(await failure(openTextTower(runtime, folder)), /it has 98 ids, the text tower embeds 97/);
      await writeFile(config, text.replace('"hidden_size": 48', '"hidden_size": 40'));
      assert.match(await failure(openTextTower(runtime, folder)), /tensors do not fit the model/);
      await writeFile(config, JSON.stringify({ model_type: 'bert' }));
      assert.match(
        await failure(openModel(runtime, folder)),
        /config.json: its model_type is bert; known here are siglip, clip/,
      );
      await writeFile(config, '{');
      assert.match(await failure(openModel(runtime, folder)), /config.json: this is not JSON/);
      await writeFile(config, JSON.stringify({ model_type: 'siglip', vision_config: { hidden_size: 0 } }));
      assert.match(await failure(openModel(runtime, folder)), /vision_config.hidden_size/);
      assert.match(await failure(openModel(runtime, join(folder, 'none'))), /none: no such file/);
    });
  });
});

test.run();
