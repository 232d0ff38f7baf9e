// Models as they are evaluated. Read evaluated-model first; then the adapters: siglip and clip (with text-tower), all on compiled and
// checkpoint-folder; open tells which.
export {
  type EvaluatedModel,
  type Measured,
  type Output,
  outputsOf,
  type TextTower,
} from './evaluated-model.ts';
export { openModel, openTextTower } from './open.ts';
