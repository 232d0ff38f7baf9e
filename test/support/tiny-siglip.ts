// A SigLIP of 16 pixels that nobody trained, as a checkpoint folder, and pictures with classes and captions to evaluate it on.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { type TensorData, writePng, writeSafetensors } from '../../src/data/index.ts';
import { namedSpecs } from '../../src/dsl/param.ts';
import { parseSiglipConfig } from '../../src/models/hf-config.ts';
import { siglip } from '../../src/models/siglip.ts';
import { run } from './files.ts';
import { siglipJson } from './tokenizer-files.ts';

const tower = {
  hidden_size: 16,
  intermediate_size: 16,
  num_hidden_layers: 1,
  num_attention_heads: 2,
};
const config = {
  model_type: 'siglip',
  vision_config: { ...tower, image_size: 16, patch_size: 8 },
  text_config: { ...tower, vocab_size: 14, max_position_embeddings: 8 },
};

/** Writes config.json, model.safetensors and tokenizer.json. */
export const writeTinySiglip = async (folder: string): Promise<void> => {
  const parsed = parseSiglipConfig(config);
  if (E.isLeft(parsed)) throw new Error(parsed.left.join('; '));
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(siglipJson));
  const tensors = namedSpecs(siglip(parsed.right).spec).map(({ path, spec: { shape } }, n) => {
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i * 12.9898 + n));
    return [path, { dtype: 'F32', shape, data }] as [string, TensorData];
  });
  await run(writeSafetensors(join(folder, 'model.safetensors'), new Map(tensors)));
};

export const tinyClasses = ['cat', 'dog'] as const;

/** Writes `each` pictures of each class into a folder of its name, and captions.txt in Flickr8k's form. */
export const writeTinyPictures = async (folder: string, each: number): Promise<void> => {
  const lines = ['image,caption'];
  for (const [c, name] of tinyClasses.entries())
    for (let n = 0; n < each; n++) {
      const file = `${name}/${n}.png`;
      const data = Uint8Array.from(
        { length: 20 * 18 * 3 },
        (_, i) => 127 + 100 * Math.sin(c * 2 + n / 5 + i * (0.01 + c / 9)),
      );
      await run(writePng(join(folder, file), { width: 20, height: 18, data }));
      lines.push(`${file},A photo of a ${name}.`, `${file},${name}s`);
    }
  await writeFile(join(folder, 'captions.txt'), lines.join('\n'));
};
