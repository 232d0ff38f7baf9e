// What is opened for an evaluation lies on the device once, as it is stored, and is given back by `free`.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { castOnce, inSingles } from '../../src/checkpoints/place.ts';
import { noCache } from '../../src/compiler/cache/cache.ts';
import { readAllValues, writeSafetensors } from '../../src/data/index.ts';
import { input } from '../../src/dsl/core/build.ts';
import type { DType } from '../../src/dsl/core/dtype.ts';
import { namedSpecs } from '../../src/dsl/param.ts';
import { unwrap, wrap } from '../../src/dsl/tensor.ts';
import { openLpips, openModel, openTextTower } from '../../src/eval/models/index.ts';
import { lpipsSqueeze } from '../../src/models/features/index.ts';
import { openRuntime, type Runtime } from '../../src/runtime/runtime.ts';
import { wasm } from '../support/backends.ts';
import { writeTinyTokenizer } from '../support/command.ts';
import { failure, inFolder, run } from '../support/files.ts';
import { shrunk, tinySizes } from '../support/tiny-variants.ts';
import { siglipJson } from '../support/tokenizer-files.ts';

const test = suite('parameters of evaluated models');

interface Opened {
  readonly free: () => Promise<void>;
}

/** Opens and uses what `open` gives: every upload has the dtype, they are `bytes` large, and nothing stays after `free`. */
const givesBack = async <A extends Opened>(
  dtype: DType,
  bytes: number,
  open: (runtime: Runtime) => Promise<A>,
  use: (opened: A) => Promise<unknown>,
): Promise<void> => {
  const runtime = await openRuntime({ backend: 'wasm', cache: noCache });
  const uploads: { readonly dtype: DType; readonly bytes: number }[] = [];
  const counted: Runtime = {
    ...runtime,
    upload: async (data, shape, as = 'f32') => {
      uploads.push({ dtype: as, bytes: data.byteLength });
      return runtime.upload(data, shape, as);
    },
  };
  try {
    // The first time leaves what all kernels of a runtime share.
    const first = await open(runtime);
    await use(first);
    await first.free();
    const before = runtime.stats().buffers;
    const opened = await open(counted);
    assert.equal([...new Set(uploads.map((upload) => upload.dtype))], [dtype]);
    assert.is(
      uploads.reduce((sum, upload) => sum + upload.bytes, 0),
      bytes,
    );
    assert.is(runtime.stats().buffers, before + uploads.length);
    await use(opened);
    await opened.free();
    assert.is(runtime.stats().buffers, before);
  } finally {
    runtime.close();
  }
};

const bytesOf = async (path: string, under = ''): Promise<number> =>
  [...(await run(readAllValues(path)))].reduce(
    (sum, [name, { data }]) => sum + (name.startsWith(under) ? data.byteLength : 0),
    0,
  );

test('a tower and its texts', () =>
  inFolder(async (folder) => {
    const [path, tokenizer] = [join(folder, 'model.safetensors'), join(folder, 'tokenizer.json')];
    await writeTinyTokenizer(path, shrunk('mini-siglip'));
    await writeFile(tokenizer, JSON.stringify(siglipJson));
    const pictures = new Float32Array(2 * 3 * 16 * 16).fill(0.25);
    await givesBack(
      'f16',
      await bytesOf(path),
      (runtime) => run(openModel(runtime, path)),
      (model) => model.measure(['pooled'])(pictures),
    );
    await givesBack(
      'f16',
      await bytesOf(path, 'siglip_model.text_model.'),
      (runtime) => run(openTextTower(runtime, path, tokenizer)),
      ({ embed }) => embed(['cat', 'a cat']),
    );
  }));

test('LPIPS, from two files', () =>
  inFolder(async (folder) => {
    const paths = ['backbone', 'heads'].map((name) => join(folder, `${name}.safetensors`));
    for (const [n, path] of paths.entries()) {
      const own = namedSpecs(lpipsSqueeze().spec).filter(({ path: name }) => name.startsWith('net.') === (n === 0));
      const tensors = own.map(({ path: name, spec: { shape } }) => {
        const data = new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.01);
        return [name.replace(/^net\./, ''), { dtype: 'F32', shape, data }] as const;
      });
      await run(writeSafetensors(path, new Map(tensors), { floats: 'BF16' }));
    }
    const [a, b] = [new Float32Array(3 * 32 * 32), new Float32Array(3 * 32 * 32).fill(1)];
    await givesBack(
      'bf16',
      (await bytesOf(paths[0]!)) + (await bytesOf(paths[1]!)),
      (runtime) => run(openLpips(runtime, 'squeeze', paths)),
      (distance) => distance(a, b, 1, 32),
    );
  }));

test('a text tower whose tokenizer has too many ids leaves nothing on the device', () =>
  inFolder(async (folder) => {
    const [path, tokenizer] = [join(folder, 'model.safetensors'), join(folder, 'tokenizer.json')];
    await writeTinyTokenizer(path, shrunk('mini-siglip'));
    const { vocab } = siglipJson.model;
    const more = Array.from({ length: tinySizes.vocabulary }, (_, n) => [`▁more${n}`, -9]);
    await writeFile(
      tokenizer,
      JSON.stringify({ ...siglipJson, model: { ...siglipJson.model, vocab: [...vocab, ...more] } }),
    );
    const runtime = await openRuntime({ backend: 'wasm', cache: noCache });
    try {
      const { buffers } = runtime.stats();
      assert.match(await failure(openTextTower(runtime, path, tokenizer)), /ids, the text tower embeds 40/);
      assert.is(runtime.stats().buffers, buffers);
    } finally {
      runtime.close();
    }
  }));

test('a processor casts matrices of halves once, and all else as it is read', async () => {
  const stored = {
    matrix: wrap(input('matrix', [4, 4], 'f16')),
    vector: wrap(input('vector', [4], 'bf16')),
    single: wrap(input('single', [4, 4], 'f32')),
  };
  const kinds = (params: typeof stored) => Object.values(params).map((t) => [unwrap(t).op.kind, t.dtype]);
  const once = castOnce({ backend: await wasm() });
  assert.equal(kinds(inSingles(stored, once)), [
    ['mark', 'f32'],
    ['map', 'f32'],
    ['input', 'f32'],
  ]);
  assert.equal(kinds(inSingles(stored)), [
    ['map', 'f32'],
    ['map', 'f32'],
    ['input', 'f32'],
  ]);
});

test.run();
