// The text tower that a tower of this project was trained with, read from its own file.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { noCache } from '../../src/compiler/cache/cache.ts';
import { clipNormalisation, openTextTokenizer, toUnit } from '../../src/data/index.ts';
import { openModel, openTextTower } from '../../src/eval/models/index.ts';
import { withSystem } from '../../src/models/systems/index.ts';
import { openRuntime } from '../../src/runtime/runtime.ts';
import { untrained, writeTinyTokenizer } from '../support/command.ts';
import { failure, inFolder, run } from '../support/files.ts';
import { ids as asIds, paramsFrom } from '../support/params.ts';
import { shrunk, tinySizes } from '../support/tiny-variants.ts';
import { clipJson, siglipJson } from '../support/tokenizer-files.ts';

const test = suite('text towers of our own files');

/** CLIP's tokenizer, with the end of a text where the shrunk models have it. */
const end = tinySizes.vocabulary - 1;
const clipWords = {
  ...clipJson,
  added_tokens: clipJson.added_tokens.map((token, n) => (n === 1 ? { ...token, id: end } : token)),
  model: { ...clipJson.model, vocab: { ...clipJson.model.vocab, '<|endoftext|>': end } },
};

for (const [name, json, kind] of [
  ['mini-siglip', siglipJson, 'siglip'],
  ['mini-siglip', clipWords, 'clip'],
  ['mini-clip', clipWords, 'clip'],
] as const)
  test(`${name}, words of ${kind}: texts are embedded as in training`, async () => {
    await inFolder(async (folder) => {
      const [path, tokenizer] = [join(folder, 'model.safetensors'), join(folder, 'tokenizer.json')];
      const variant = shrunk(name);
      await writeTinyTokenizer(path, variant);
      await writeFile(tokenizer, JSON.stringify(json));
      const runtime = await openRuntime({ backend: 'wasm', cache: noCache });
      try {
        const model = await run(openModel(runtime, path));
        assert.is(model.textTower, path);
        assert.equal(model.normalisation, name === 'mini-clip' ? clipNormalisation : toUnit);
        assert.match(await failure(openTextTower(runtime, path)), /give its path as 'tokenizer'/);
        const tower = await run(openTextTower(runtime, path, tokenizer));
        const { values } = await tower.embed(['cat', 'a cat']);
        const words = await run(openTextTokenizer(tokenizer, kind, tinySizes.words));
        const data = Int32Array.from(['cat', 'a cat'].flatMap((text) => [...words.encode(text)]));
        const ids = asIds({ dtype: 'I32', shape: [2, tinySizes.words], data });
        const wanted = await withSystem(variant, async (system) => {
          if (system.text === null) throw new Error(`${name} has no text tower`);
          const stored = new Map([...untrained(variant)].map(([at, t]) => [at, { dtype: 'F32' as const, ...t }]));
          const { embeddings } = system.text(paramsFrom(system.spec, stored))(ids);
          return runtime.evaluate(embeddings);
        });
        // The file holds halves.
        assert.is(values.length, wanted.data.length);
        for (const [i, x] of values.entries())
          assert.ok(Math.abs(x - wanted.data[i]!) < 5e-4, `${i}: ${x}, ${wanted.data[i]}`);
        assert.ok(values.slice(0, tower.width).some((x, i) => x !== values[tower.width + i]));
      } finally {
        runtime.close();
      }
    });
  });

test.run();
