// CLIP's end of text: the first end-of-text token, or by the old rule the largest id. Evaluated in doubles.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { initParams } from '../../src/dsl/init.ts';
import { tensor } from '../../src/dsl/ops/inputs.ts';
import { key } from '../../src/dsl/ops/random.ts';
import { clipText } from '../../src/models/clip.ts';
import type { Ids } from '../../src/models/nn/embedding.ts';
import { valuesOf } from '../support/bound.ts';
import { close } from '../support/draw.ts';

const test = suite('clip');
const config = {
  hidden_size: 8,
  intermediate_size: 8,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  hidden_act: 'quick_gelu',
  layer_norm_eps: 1e-5,
  vocab_size: 20,
  max_position_embeddings: 6,
  eos_token_id: 7,
} as const;
const tower = clipText(config);
const params = initParams(tower.spec)({ key: key(1), path: '' });
const ids = (rows: readonly (readonly number[])[]): Ids => {
  const [batch, length]: readonly number[] = [rows.length, rows[0]!.length];
  return tensor(Int32Array.from(rows.flat()), [batch!, length!]);
};
const features = (rows: readonly (readonly number[])[], eos: number = config.eos_token_id) =>
  valuesOf(clipText({ ...config, eos_token_id: eos }).apply(params)(ids(rows)))[0]!;

test('what comes after the first end-of-text token does not count', () => {
  close(features([[3, 4, 7, 7, 1]]), features([[3, 4, 7, 19, 7]]));
  assert.not.equal(features([[3, 4, 7, 7, 1]]), features([[3, 5, 7, 7, 1]]));
});

test('by the old rule the text ends at its largest id', () => {
  close(features([[3, 4, 19, 1, 1]], 2), features([[3, 4, 19, 2, 2]], 2));
  close(features([[3, 4, 19, 1, 1]], 2), features([[3, 4, 19, 1, 1]], 19));
});

test('each text of a batch has its own end', () => {
  const both = features([
    [3, 7, 1, 1, 1],
    [3, 4, 5, 6, 7],
  ]);
  close(both.slice(0, 8), features([[3, 7, 1, 1, 1]]));
  close(both.slice(8), features([[3, 4, 5, 6, 7]]));
});

test.run();
