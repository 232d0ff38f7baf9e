// All templates, in the order in which they are asked: the first that does not refuse a call takes it.
import { contractSubgroup } from './contract-subgroup.ts';
import type { KernelTemplate } from './template.ts';

export const templates: readonly KernelTemplate[] = [contractSubgroup];
