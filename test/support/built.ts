// The sources as JavaScript, as the package has them, for the commands that tests start: compiled once for a run of all tests.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { projectDir } from './shared.ts';

/** The folder of the compiled sources, which is removed when this process ends; null where they do not compile. */
export const build = (): string | null => {
  const cache = join(projectDir, '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'built-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  // The command looks for them beside the folder that it is in.
  symlinkSync(join(projectDir, 'assets'), join(folder, 'assets'), 'junction');
  const dist = join(folder, 'dist');
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  const options = ['-p', 'tsconfig.build.json', '--noCheck', '--declaration', 'false', '--outDir', dist];
  return spawnSync(process.execPath, [tsc, ...options], { cwd: projectDir }).status === 0 ? dist : null;
};
