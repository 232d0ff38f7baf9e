// Where in the user's program a kernel comes from, as errors name it.
import type { Origin, Program } from '../compiler/program.ts';

/** Source line and module path. */
export const siteOf = ({ site, path }: Origin): string => [site, path].filter((s) => s !== '').join('   ');

/** The kernels of a program: the first, and how many more. */
export const namedKernels = ({ steps }: Program): { readonly kernel: string; readonly site: string } => {
  const first = steps[0]?.origin;
  if (!first) return { kernel: '', site: '' };
  const more = steps.length > 1 ? ` and ${steps.length - 1} more` : '';
  return { kernel: `${first.label}${more}`, site: siteOf(first) };
};
