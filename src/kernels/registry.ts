// All templates, in the order in which they are asked: the first that does not refuse a call takes it.
import { attentionGradKeysSubgroup, attentionGradQueriesSubgroup } from './attention-grad-subgroup.ts';
import { attentionInvocation } from './attention-invocation.ts';
import { attentionSubgroup } from './attention-subgroup.ts';
import { contractSubgroup } from './contract-subgroup.ts';
import { conv } from './conv.ts';
import { nearestSubgroup } from './nearest-subgroup.ts';
import { nearestWorkgroup } from './nearest-workgroup.ts';
import { row } from './row.ts';
import type { KernelTemplate } from './template.ts';

export const templates: readonly KernelTemplate[] = [
  contractSubgroup,
  attentionSubgroup,
  attentionGradQueriesSubgroup,
  attentionGradKeysSubgroup,
  ...attentionInvocation,
  nearestSubgroup,
  nearestWorkgroup,
  conv,
  row,
];
