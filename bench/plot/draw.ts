// Draws in a process of its own: the plots' library is no part of what is measured.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Report } from '../measure/results.ts';

/** The plots of a report as SVG. Throws Error where they can't be drawn. */
export const draw = (report: Report): string => {
  const program = fileURLToPath(new URL('./main.ts', import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', program], {
    cwd: fileURLToPath(new URL('../../', import.meta.url)),
    input: JSON.stringify(report),
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) throw new Error(`the plots were not drawn: ${stderr.trim().split('\n').at(-1)}`);
  return stdout;
};
