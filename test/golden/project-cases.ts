// The golden cases that the project carries, for its tests.
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import type { Backend } from '../../src/runtime/backend.ts';
import { casesIn, runCase } from './cases.ts';

export const projectCases = casesIn(fileURLToPath(new URL('./cases', import.meta.url)));

/** Whole models: dozens of kernels each, which a software adapter compiles for seconds. */
export const large =
  /^(siglip|clip|pixel-decoder|project-block|attention-projection|discriminator|vqgan|movqgan|magvit2|inception|lpips)/;

/** Hundreds of kernels: a software adapter compiles them for half a minute. */
export const vast = /^(movqgan|magvit2|inception)/;

/** Fails with the worst error where the case in `folder` does not pass. */
export const passes = async (backend: Backend, folder: string): Promise<void> => {
  const { outcome, text } = await runCase(backend, folder);
  assert.is(outcome, 'passed', text);
};
