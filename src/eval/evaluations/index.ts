// Evaluations of a model on data sets, streaming and resumable. Read checkpoint (with tensors), pass and gathered first; then
// reconstruction (with feature-network), zero-shot (with class-prompts, labels), retrieval, classification (with features);
// failure is what a person may cause.
export {
  type Checkpoint,
  type CheckpointOptions,
  type Identity,
  identityDigest,
  noCheckpoint,
  openCheckpoint,
  type Pass,
  type Position,
} from './checkpoint.ts';
export { type ClassPrompts, type PromptChoice, readClassPrompts } from './class-prompts.ts';
export {
  type ClassificationData,
  type ClassificationSets,
  evaluateKnn,
  evaluateProbe,
  type KnnReport,
  type ProbeReport,
  type TopShares,
} from './classification.ts';
export { EvalFailure } from './failure.ts';
export { type FeatureNetwork, networkOf } from './feature-network.ts';
export { withLabels } from './labels.ts';
export { EvalStopped, type Evaluation } from './pass.ts';
export {
  evaluateReconstruction,
  type FeatureDistance,
  type ReconstructionOptions,
  type ReconstructionReport,
  type Spread,
} from './reconstruction.ts';
export { evaluateRetrieval, type RetrievalReport } from './retrieval.ts';
export { evaluateZeroShot, type ZeroShotReport } from './zero-shot.ts';
