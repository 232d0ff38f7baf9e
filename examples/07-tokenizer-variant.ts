// A tokenizer of one's own in ten lines, and its training, for as many seconds as you give: real photos in, two vocabularies learned.
import { fileURLToPath } from 'node:url';
import { openRuntime } from 'dualtoken';
import { centreCrop, filesDataset, listImages, renderDataError, stackChannels } from 'dualtoken/data';
import { commitmentLoss, deepDistillation, dualTokenSystem, mini, pixelLoss, variantOf } from 'dualtoken/models';
import { openTrainer, tokenizerTask } from 'dualtoken/train';
import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';

// Run by the tests, it is smaller still.
const small = process.env.DUALTOKEN_EXAMPLE_SMALL === '1';
// `npm run example 07 60` trains for a minute.
const seconds = small ? 0 : Number(process.argv[2] ?? 5);
if (!(seconds >= 0)) {
  console.error(`'${process.argv[2]}' is no number of seconds`);
  process.exit(1);
}
const [size, blocks, depth] = small ? [16, 1, 1] : [32, 3, 2];

const mine = variantOf(mini, {
  vision: {
    hidden_size: 32,
    intermediate_size: 64,
    num_hidden_layers: blocks,
    num_attention_heads: 2,
    image_size: size,
    patch_size: 8,
  },
  taps: { pixel: 1, semantic: 1 },
  quantiser: { depth, codes: 32 },
  decoder: { ch: 8, ch_mult: [1, 2], attn_resolutions: [], resolution: size, in_channels: 32 },
});

const need = async <A, F extends Parameters<typeof renderDataError>[0]>(work: TaskEither<F, A>): Promise<A> => {
  const done = await work();
  if (E.isLeft(done)) throw new Error(renderDataError(done.left));
  return done.right;
};

// The grid of the decoder must meet the tower's: two levels double once, from a grid of size / 8 by bilinear resize.
const folder = fileURLToPath(new URL('../assets/photos/', import.meta.url));
const photos = filesDataset(folder, await need(listImages(folder)));
const count = Math.min(small ? 2 : 8, photos.size);
const pictures = await Promise.all(Array.from({ length: count }, (_, i) => need(photos.load(i))));
const images = stackChannels(pictures.map((p) => centreCrop(size)(p, 0)));
const batch = { images, count, height: size, width: size };

const runtime = await openRuntime({ log: console.log });
const task = tokenizerTask(dualTokenSystem(mine), [pixelLoss(10), deepDistillation(5), commitmentLoss(2)]);
const trainer = await openTrainer(runtime, task, {
  optimizer: { betas: [0.9, 0.99], eps: 1e-8, weightDecay: 1e-4, clip: 1 },
  seed: 1,
});

// The first step compiles; then as many seconds of training.
let [started, said] = [Number.NaN, Number.NaN];
for (let step = 0; step < 100_000; step++) {
  const { loss, terms } = await trainer.step([batch], step, { learningRate: 2e-3 });
  const now = performance.now();
  if (step === 0) started = now;
  if (step === 0 || now - said > 1000 * Math.max(1, seconds / 12)) {
    console.log(`step ${step}: loss ${loss.toFixed(3)}, pixel ${terms.pixel?.toFixed(4)}`);
    said = now;
  }
  if (now - started > seconds * 1000) break;
}
const { kernelsCompiled, traces } = runtime.stats();
console.log(`${kernelsCompiled} kernels compiled, ${traces} functions traced: none of them twice`);
await trainer.free();
runtime.close();
