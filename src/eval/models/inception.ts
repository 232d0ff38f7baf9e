// Inception V3 as the Fréchet inception distance takes it: pictures as clean-fid gives them to it.
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { placeStored } from '../../checkpoints/index.ts';
import type { DataError } from '../../data/index.ts';
import { inceptionSide, inceptionV3, inceptionV3Names } from '../../models/features/index.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { shortName } from './checkpoint-folder.ts';
import { compiledModel } from './compiled.ts';
import type { EvaluatedModel } from './evaluated-model.ts';
import { bytesNormalisation } from './normalisations.ts';

/** `pooled`, 2,048 values, from pt_inception-2015-12-05 in safetensors. Left: the file cannot be read, or does not fit. */
export const openInception = (runtime: Runtime, path: string): TE.TaskEither<DataError, EvaluatedModel> => {
  const network = inceptionV3();
  return pipe(
    placeStored(runtime, path, network.spec, inceptionV3Names),
    TE.map((placed) =>
      compiledModel(
        runtime,
        network.spec,
        placed,
        {
          name: shortName(path),
          family: 'Inception',
          size: inceptionSide,
          transform: { kind: 'squash', size: inceptionSide },
          normalisation: bytesNormalisation,
          outputs: { pooled: { kind: 'features', width: 2048 } },
          embedding: null,
          textTower: null,
        },
        (p, images) => ({ pooled: () => network.apply(p)(images) }),
      ),
    ),
  );
};
