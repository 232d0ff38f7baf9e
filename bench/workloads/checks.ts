// The f64 reference of every workload that one is computed for here.
import { attentionCheck } from './attention.ts';
import { blockCheck, blockTrainingCheck } from './block.ts';
import { convCheck } from './conv.ts';
import { decodeCheck } from './decode.ts';
import { layerNormCheck } from './layer-norm.ts';
import type { Kind, Workload, WorkloadOf } from './list.ts';
import { matmulCheck } from './matmul.ts';
import { mlpTrainingCheck } from './mlp.ts';
import { nearestCheck } from './nearest.ts';
import { softmaxCheck } from './softmax.ts';
import { tokenizerCheck } from './tokenizer.ts';
import type { Check } from './work.ts';

/** Gives the result of the workload by dualtoken's oracle. */
export type Oracle = (w: Workload) => Promise<ArrayLike<number>>;

const checks = (oracle: Oracle): { readonly [K in Kind]: (w: WorkloadOf<K>) => Check | Promise<Check> } => {
  const byOracle = async (w: Workload): Promise<Check> => tokenizerCheck(await oracle(w));
  return {
    matmul: matmulCheck,
    decode: decodeCheck,
    conv: convCheck,
    softmax: softmaxCheck,
    layerNorm: layerNormCheck,
    attention: attentionCheck,
    block: blockCheck,
    blockTraining: blockTrainingCheck,
    mlpTraining: mlpTrainingCheck,
    nearest: nearestCheck,
    tokenizer: byOracle,
    tokenizerTraining: byOracle,
  };
};

export const checkOf = (w: Workload, oracle: Oracle): Check | Promise<Check> => {
  // The table has the kind's own check under each kind.
  const check = checks(oracle)[w.kind] as (w: Workload) => Check | Promise<Check>;
  return check(w);
};
