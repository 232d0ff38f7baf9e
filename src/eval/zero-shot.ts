// Classification by text, as in CLIP and open_clip: a class is the mean of its templates' embeddings, a picture the class nearest by cosine.
import { type Accuracy, addStanding, noAccuracy, standingOf } from './ranks.ts';
import { checkLabels, checkWidths, dot, type LabelledVectors, norms, type Vectors } from './vectors.ts';

/**
 * The unit vector of one class: each template's embedding normalised, their mean normalised. @throws RangeError for an embedding
 * that is not finite or zero, or templates that cancel
 */
export const classVector = (templates: Vectors): Float32Array<ArrayBuffer> => {
  const lengths = norms('classVector', templates);
  const mean = new Float64Array(templates.width);
  for (let n = 0; n < templates.count; n++)
    for (let i = 0; i < templates.width; i++) mean[i]! += templates.values[n * templates.width + i]! / lengths[n]!;
  const length = Math.sqrt(mean.reduce((sum, x) => sum + x * x, 0));
  if (length === 0) throw new RangeError('classVector: the embeddings of the templates cancel');
  return Float32Array.from(mean, (x) => x / length);
};

/** How often the picture's class is among the k nearest, added to what was counted before. @throws RangeError as `norms` and `checkLabels` do */
export const addZeroShot = (before: Accuracy, images: LabelledVectors, classes: Vectors): Accuracy => {
  checkWidths('zero-shot', images, classes);
  checkLabels('zero-shot', images, classes.count);
  norms('zero-shot, pictures', images);
  const lengths = norms('zero-shot, classes', classes);
  let accuracy = before;
  for (let n = 0; n < images.count; n++) {
    const scores = lengths.map((length, c) => dot(images, n, classes, c) / length);
    accuracy = addStanding(accuracy, standingOf(scores, images.labels[n]!));
  }
  return accuracy;
};

/** `addZeroShot` of everything at once. */
export const zeroShot = (images: LabelledVectors, classes: Vectors, ks: readonly number[] = [1, 5]): Accuracy =>
  addZeroShot(noAccuracy(ks), images, classes);
