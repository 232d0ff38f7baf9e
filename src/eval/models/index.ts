// Models as they are evaluated. Read evaluated-model first; then the adapters, all on compiled and checkpoint-folder: siglip and
// clip (with text-tower), mobilenet, tokenizer (with tokenizer-features); open tells which. inception and lpips measure pictures.
// normalisations is how networks take them.
export type { LpipsNet } from '../../models/features/index.ts';
export {
  type EvaluatedModel,
  type Measured,
  type OpenTextTower,
  type Output,
  outputsOf,
  type TextTower,
} from './evaluated-model.ts';
export { openInception } from './inception.ts';
export { type OpenDistance, openLpips, type PairDistance } from './lpips.ts';
export { openModel, openTextTower } from './open.ts';
