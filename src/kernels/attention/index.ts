// Attention and its gradients without scores in memory, in the order in which the templates are asked. call is what all of them share. On a
// processor: tiles and tile-schedules, then simd and grad-simd on them. Of subgroups: rows, then subgroup and grad-subgroup on them. Where
// subgroups have no fixed size: invocation.
import type { KernelTemplate } from '../template.ts';
import { attentionGradSimd } from './grad-simd.ts';
import { attentionGradKeysSubgroup, attentionGradQueriesSubgroup } from './grad-subgroup.ts';
import { attentionInvocation } from './invocation.ts';
import { attentionSimd } from './simd.ts';
import { attentionSubgroup } from './subgroup.ts';

export const attentions: readonly KernelTemplate[] = [
  attentionSimd,
  ...attentionGradSimd,
  attentionSubgroup,
  attentionGradQueriesSubgroup,
  attentionGradKeysSubgroup,
  ...attentionInvocation,
];
