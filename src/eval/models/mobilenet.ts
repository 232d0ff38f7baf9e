// MobileNetV2 as an evaluated model: features that a supervised classifier learned, where Inception's weights are not at hand.
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { findMobileNetV2, placeStored } from '../../checkpoints/index.ts';
import type { CentreCropOptions } from '../../data/images/index.ts';
import { type DataError, type Normalisation, toUnit } from '../../data/index.ts';
import { type MobileNetV2Config, mobileNetV2, mobileNetV2Names } from '../../models/features/index.ts';
import { planOf } from '../../models/features/mobilenet-v2-config.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { shortName } from './checkpoint-folder.ts';
import { compiledModel } from './compiled.ts';
import type { EvaluatedModel } from './evaluated-model.ts';
import { bytesNormalisation, imageNetNormalisation } from './normalisations.ts';

const SIZE = 224;

/** Published weights see the middle of 256 pixels; TensorFlow Lite's graph knows nothing beside its own size. */
const framing = ({ folded }: MobileNetV2Config): CentreCropOptions =>
  folded ? {} : { shorter: 256, filter: 'bilinear' };

/** TensorFlow's take [-1, 1]; folded ones were made for 8 bits. */
const normalisationOf = ({ folded, tf_padding }: MobileNetV2Config): Normalisation =>
  folded ? bytesNormalisation : tf_padding ? toUnit : imageNetNormalisation;

/** `pooled` is the average of its last map, `logits` the scores of its classes. Left: its file cannot be read, or does not fit. */
export const openMobileNet = (runtime: Runtime, path: string): TE.TaskEither<DataError, EvaluatedModel> =>
  pipe(
    findMobileNetV2(path),
    TE.bind('network', ({ config }) => TE.right(mobileNetV2(config))),
    TE.bind('placed', ({ config, file, network }) =>
      placeStored(runtime, file, network.spec, mobileNetV2Names(config)),
    ),
    TE.map(({ config, network, placed }) =>
      compiledModel(
        runtime,
        network.spec,
        placed,
        {
          name: shortName(path),
          family: 'MobileNetV2',
          size: SIZE,
          transform: { kind: 'centre-crop', size: SIZE, ...framing(config) },
          normalisation: normalisationOf(config),
          outputs: {
            pooled: { kind: 'features', width: planOf(config).last },
            logits: { kind: 'features', width: config.classes },
          },
          embedding: null,
          textTower: null,
        },
        (p, images) => {
          const { pooled, logits } = network.apply(p)(images);
          return { pooled: () => pooled, logits: () => logits };
        },
      ),
    ),
  );
