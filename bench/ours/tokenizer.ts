// The project's tokenizer: the trained one that comes with it, and its training from a start.
import { fileURLToPath } from 'node:url';
import * as E from 'fp-ts/lib/Either.js';
import { renderDataError } from '../../src/data/index.ts';
import type { Runtime } from '../../src/index.ts';
import {
  commitmentLoss,
  deepDistillation,
  pixelLoss,
  pooledDistillation,
  variants,
  withSystem,
} from '../../src/models/index.ts';
import { openTokenizer, openTrainer, parseTrainConfig, tokenizerTask } from '../../src/train/index.ts';
import type { Makers } from '../process/library.ts';
import { pictures } from '../workloads/tokenizer.ts';

/** Without a discriminator, which no peer has. */
const plainLosses = [pixelLoss(), deepDistillation(), pooledDistillation(), commitmentLoss()];

export const tokenizers = (runtime: Runtime) =>
  ({
    tokenizer: (w) => {
      const { data } = pictures(1, w.size);
      const path = fileURLToPath(new URL(`../../assets/${w.variant}.safetensors`, import.meta.url));
      return async () => {
        const opened = await openTokenizer(runtime, path)();
        if (E.isLeft(opened)) throw new Error(renderDataError(opened.left));
        const { encode, decode } = opened.right;
        const run = async (): Promise<Float32Array> => decode((await encode(data)).pixel!);
        return {
          launch: async () => {
            await run();
          },
          wait: async () => {},
          result: run,
        };
      };
    },
    tokenizerTraining: (w) => {
      const variant = variants[w.variant];
      if (!variant) throw new Error(`there is no variant '${w.variant}'`);
      const parsed = parseTrainConfig({});
      if (E.isLeft(parsed)) throw new Error(parsed.left.join('; '));
      const { optimizer, seed } = parsed.right;
      const batch = { images: pictures(w.batch, w.size).data, count: w.batch, height: w.size, width: w.size };
      return async () => {
        const trainer = await withSystem(variant, (system) =>
          openTrainer(runtime, tokenizerTask(system, plainLosses), { optimizer, seed }),
        );
        const start = await trainer.snapshot();
        let steps = 0;
        const step = () => trainer.step([batch], steps++, { learningRate: optimizer.learningRate });
        return {
          launch: async () => {
            await step();
          },
          wait: async () => {},
          result: async () => {
            await trainer.restore(start);
            steps = 0;
            const { loss, gradNorm } = await step();
            return [loss, gradNorm];
          },
        };
      };
    },
  }) satisfies Makers;
