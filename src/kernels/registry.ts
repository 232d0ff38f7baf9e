// All templates, in the order in which they are asked: the first that does not refuse a call takes it.
import { attentionGradSimd } from './attention-grad-simd.ts';
import { attentionGradKeysSubgroup, attentionGradQueriesSubgroup } from './attention-grad-subgroup.ts';
import { attentionInvocation } from './attention-invocation.ts';
import { attentionSimd } from './attention-simd.ts';
import { attentionSubgroup } from './attention-subgroup.ts';
import { contractDirect } from './contract-direct.ts';
import { contractGemv } from './contract-gemv.ts';
import { contractMatrix } from './contract-matrix.ts';
import { contractSimd } from './contract-simd.ts';
import { contractSubgroup } from './contract-subgroup.ts';
import { contractTiled } from './contract-tiled.ts';
import { conv } from './conv.ts';
import { convSimd } from './conv-simd.ts';
import { cumulate } from './cumulate.ts';
import { mergeRuns } from './merge.ts';
import { nearestSimd } from './nearest-simd.ts';
import { nearestSubgroup } from './nearest-subgroup.ts';
import { nearestWorkgroup } from './nearest-workgroup.ts';
import { random } from './random.ts';
import { row } from './row.ts';
import { rowSimd } from './row-simd.ts';
import { scatterEverywhere, scatterInPlace } from './scatter.ts';
import { segmentCombine, segmentStarts } from './segments.ts';
import { sort } from './sort.ts';
import type { KernelTemplate } from './template.ts';

export const templates: readonly KernelTemplate[] = [
  contractSimd,
  contractGemv,
  contractMatrix,
  contractTiled,
  contractSubgroup,
  contractDirect,
  attentionSimd,
  ...attentionGradSimd,
  attentionSubgroup,
  attentionGradQueriesSubgroup,
  attentionGradKeysSubgroup,
  ...attentionInvocation,
  nearestSimd,
  nearestSubgroup,
  nearestWorkgroup,
  convSimd,
  conv,
  rowSimd,
  row,
  random,
  cumulate,
  sort,
  mergeRuns,
  scatterInPlace,
  scatterEverywhere,
  segmentStarts,
  segmentCombine,
];
