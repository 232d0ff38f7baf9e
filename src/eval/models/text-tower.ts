// A text tower with its tokenizer: texts to embeddings, so many at a time.
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import {
  castOnce,
  freePlaced,
  inSingles,
  type Placed,
  placedParams,
  textTokenizerFault,
} from '../../checkpoints/index.ts';
import { type DataError, tokenizerError } from '../../data/error.ts';
import type { TextTokenizer } from '../../data/index.ts';
import type { ParamsOf } from '../../dsl/param.ts';
import type { Rank2 } from '../../dsl/shape.ts';
import type { Tensor } from '../../dsl/tensor.ts';
import type { Ids } from '../../models/nn/embedding.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { HostTensor } from '../../runtime/tensor.ts';
import type { OpenTextTower } from './evaluated-model.ts';

/** Texts of one run of the program. */
const AT_ONCE = 64;

interface Tower<P> {
  readonly texts: TextTokenizer;
  /** Where the tokenizer came from. */
  readonly tokenizer: string;
  /** Ids that the tower embeds. */
  readonly vocabulary: number;
  /** The id at which the tower reads a text's feature, where it reads it at one. */
  readonly end?: number | undefined;
  readonly width: number;
  readonly spec: P;
}

/** A tower from its parameters. Left: they cannot be read, or the tokenizer has more ids than the tower, or ends texts with another. */
export const embedBy =
  <P>(
    runtime: Runtime,
    { texts: tokenizer, tokenizer: path, vocabulary, end = tokenizer.end, width, spec }: Tower<P>,
    forward: (params: ParamsOf<P>, ids: Ids) => Tensor<Rank2>,
  ) =>
  (placing: TE.TaskEither<DataError, Placed>): TE.TaskEither<DataError, OpenTextTower> => {
    const fault = textTokenizerFault(tokenizer, { vocabulary, end });
    return pipe(
      placing,
      TE.filterOrElse(
        () => fault === null,
        (placed: Placed) => {
          freePlaced(placed);
          return tokenizerError(
            path,
            fault === 'vocabulary'
              ? `it has ${tokenizer.vocabulary} ids, the text tower embeds ${vocabulary}`
              : `it ends texts with the id ${tokenizer.end}, the text tower reads them at the id ${end}`,
          );
        },
      ),
      TE.map((placed): OpenTextTower => {
        const params = placedParams(spec, placed);
        const once = castOnce(runtime);
        // Of the table of words a text reads a few rows.
        const inner = (shape: readonly number[]): boolean => once(shape) && shape[0] !== vocabulary;
        const run = runtime.compile((p: ParamsOf<P>, ids: Ids) => forward(inSingles(p, inner), ids), {
          name: 'embed texts',
        });
        return {
          width,
          embed: async (texts) => {
            const values = new Float32Array(texts.length * width);
            for (let from = 0; from < texts.length; from += AT_ONCE) {
              const ids = new Int32Array(AT_ONCE * tokenizer.length);
              const some = texts.slice(from, from + AT_ONCE);
              some.forEach((text, n) => {
                ids.set(tokenizer.encode(text), n * tokenizer.length);
              });
              const made = await run(params, new HostTensor(ids, [AT_ONCE, tokenizer.length], 'i32'));
              values.set((await made.read()).subarray(0, some.length * width), from * width);
              made.free();
            }
            return { count: texts.length, width, values };
          },
          free: async () => {
            await run.free();
            freePlaced(placed);
          },
        };
      }),
    );
  };
