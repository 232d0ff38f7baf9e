// The tiny autoencoder with its published weights: its latents and pictures equal those of PyTorch.
import { join } from 'node:path';
import { pipe } from 'fp-ts/lib/function.js';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { clamp } from '../../src/dsl/ops/elementwise.ts';
import { taef2Decoder, taef2Encoder } from '../../src/models/autoencoders/taef2.ts';
import { runGraph } from '../../src/runtime/evaluate.ts';
import { forEachDevice } from '../support/backends.ts';
import { floats, paramsFrom, rank4, readTensors } from '../support/params.ts';
import { sharedDir } from '../support/shared.ts';
import { skip } from '../support/skip.ts';

const test = suite('taef2');
const shared = sharedDir();

const worst = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from({ length: b.length }, (_, i) => Math.abs(a[i]! - b[i]!)).reduce((x, y) => Math.max(x, y), 0);

if (shared === null) skip('the weights of TAEF2 are in the shared folder, which is not here');
else {
  const folder = join(shared, 'data', 'taef2-autoencoder');
  forEachDevice(test, 'encodes and decodes as the golden tensors say', async (backend) => {
    const golden = await readTensors(join(folder, 'golden.safetensors'));
    const [encoder, decoder] = [taef2Encoder(), taef2Decoder()];
    const encode = encoder.apply(
      paramsFrom(encoder.spec, await readTensors(join(folder, 'taef2_encoder.safetensors'))),
    );
    const decode = decoder.apply(
      paramsFrom(decoder.spec, await readTensors(join(folder, 'taef2_decoder.safetensors'))),
    );
    const [x, z, y] = ['x', 'z', 'y'].map((name) => golden.get(name)!);
    const [latents, picture] = await runGraph(backend, [
      encode(rank4(x!)).node,
      pipe(decode(rank4(z!)), clamp(0, 1)).node,
    ]);
    assert.ok(worst(latents!.data, floats(z!)) < 2e-3, `latents differ by ${worst(latents!.data, floats(z!))}`);
    assert.ok(worst(picture!.data, floats(y!)) < 2e-3, `pictures differ by ${worst(picture!.data, floats(y!))}`);
  });
}

test.run();
